//! Policies as the core knows them, and what somebody has set of one.

use std::collections::BTreeMap;

use canary_client::Policy;
use canary_core::judge::measurement::Direction;
use canary_core::policy::{self, AtEnd, OnInsufficient, OnSupersede, Settings, ThresholdRule};
use canary_core::reading::TypeName;
use canary_core::signal::MeasurementName;
use canary_core::value::ValueError;
use serde_json::{Map, Value};

/// The built-in policy with some settings changed.
pub(crate) fn in_core(policy: &Policy) -> Result<policy::Policy, String> {
    let settings = settings(policy).map_err(|error| error.to_string())?;
    policy::Policy::default().with(&settings).map_err(|error| error.to_string())
}

fn settings(policy: &Policy) -> Result<Settings, ValueError> {
    Ok(Settings {
        rule: word(policy.rule.as_ref(), ThresholdRule::parse)?,
        alpha: policy.alpha,
        alpha_floor: policy.alpha_floor,
        alpha_measurements: policy.alpha_measurements,
        rho0: policy.rho0,
        early_promotion: policy.early_promotion,
        rho: policy.rho,
        q: policy.q,
        beta: policy.beta,
        holdback: policy.holdback,
        min_signals: policy.min_signals.map(i64::from),
        at_end: word(policy.at_end.as_ref(), AtEnd::parse)?,
        on_insufficient: word(policy.on_insufficient.as_ref(), OnInsufficient::parse)?,
        on_supersede: word(policy.on_supersede.as_ref(), OnSupersede::parse)?,
        report_within: policy.report_within,
        count_repeats: policy.count_repeats,
        measurements: judged(policy.measurements.as_ref(), |name| MeasurementName::parse(name))?,
        readings: judged(policy.readings.as_ref(), |name| TypeName::parse(name))?,
    })
}

fn word<T>(
    word: Option<&String>,
    parse: impl Fn(&str) -> Result<T, ValueError>,
) -> Result<Option<T>, ValueError> {
    word.map(|word| parse(word)).transpose()
}

fn judged<N: Ord>(
    judged: Option<&BTreeMap<String, String>>,
    parse: impl Fn(&str) -> Result<N, ValueError>,
) -> Result<Option<BTreeMap<N, Direction>>, ValueError> {
    let Some(judged) = judged else { return Ok(None) };
    let each = |(name, word): (&String, &String)| Ok((parse(name)?, Direction::parse(word)?));
    judged.iter().map(each).collect::<Result<_, _>>().map(Some)
}

/// A policy in full, as the server shows it.
pub(crate) fn full(policy: &policy::Policy) -> Policy {
    let Settings { q, report_within, .. } = policy.settings();
    let mut shown = Policy::default();
    shown.rule = Some(policy.rule.as_str().to_owned());
    shown.alpha = Some(policy.chances.total());
    shown.alpha_floor = Some(policy.chances.floor());
    shown.alpha_measurements = (policy.judged() > 0).then(|| policy.chances.measurements());
    shown.rho0 = Some(policy.rho0);
    shown.early_promotion = Some(policy.early_promotion);
    shown.rho = Some(policy.rho);
    shown.q = q;
    shown.beta = Some(policy.beta.get());
    shown.holdback = Some(policy.holdback.share());
    shown.min_signals = Some(policy.min_signals.get());
    shown.at_end = Some(policy.at_end.as_str().to_owned());
    shown.on_insufficient = Some(policy.on_insufficient.as_str().to_owned());
    shown.on_supersede = Some(policy.on_supersede.as_str().to_owned());
    shown.report_within = report_within;
    shown.count_repeats = Some(policy.count_repeats);
    let named =
        |name: &str, direction: &Direction| (name.to_owned(), direction.as_str().to_owned());
    let measurements = policy.measurements.iter();
    shown.measurements =
        Some(measurements.map(|(name, direction)| named(name.as_str(), direction)).collect());
    let readings = policy.readings.iter();
    shown.readings =
        Some(readings.map(|(name, direction)| named(name.as_str(), direction)).collect());
    shown
}

/// What a policy that is shown in full says that the built-in one does not say.
///
/// The parts of alpha that follow from it are not set: they are to follow it when it is changed.
pub(crate) fn set_in(policy: &Policy) -> Policy {
    let default = members(&full(&policy::Policy::default()));
    let follows = members(&with_parts_of_alpha(policy));
    let mut set = members(policy);
    set.retain(|name, value| {
        let is_part = matches!(name.as_str(), "alpha_floor" | "alpha_measurements");
        let unset = if is_part { follows.get(name) } else { default.get(name) };
        unset != Some(value)
    });
    of_members(set)
}

/// The policy with its settings, and the parts of alpha that follow from them.
fn with_parts_of_alpha(policy: &Policy) -> Policy {
    let mut of_alpha = policy.clone();
    of_alpha.alpha_floor = None;
    of_alpha.alpha_measurements = None;
    let Ok(with_floor) = in_core(&of_alpha) else { return Policy::default() };
    of_alpha.alpha_floor = policy.alpha_floor;
    let Ok(with_measurements) = in_core(&of_alpha) else { return Policy::default() };
    let mut follows = full(&with_floor);
    follows.alpha_measurements = full(&with_measurements).alpha_measurements;
    follows
}

/// A policy with the settings of another over its own.
pub(crate) fn over(policy: &Policy, other: &Policy) -> Policy {
    let mut both = members(policy);
    both.extend(members(other));
    of_members(both)
}

fn members(policy: &Policy) -> Map<String, Value> {
    match serde_json::to_value(policy) {
        Ok(Value::Object(members)) => members,
        // A policy is always an object of numbers, words and names.
        _ => Map::new(),
    }
}

fn of_members(members: Map<String, Value>) -> Policy {
    serde_json::from_value(Value::Object(members)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_flags(change: impl FnOnce(&mut Policy)) -> Policy {
        let mut policy = Policy::default();
        change(&mut policy);
        policy
    }

    fn shown(policy: &Policy) -> Policy {
        full(&in_core(policy).unwrap())
    }

    #[test]
    fn what_was_set_is_found_in_what_is_shown() {
        let latency = || Some([("latency_ms".to_owned(), "high_is_bad".to_owned())].into());
        let cases = [
            Policy::default(),
            of_flags(|policy| policy.alpha = Some(0.01)),
            of_flags(|policy| policy.measurements = latency()),
            of_flags(|policy| {
                policy.alpha = Some(0.02);
                policy.alpha_floor = Some(0.01);
                policy.measurements = latency();
                policy.q = Some(0.1);
                policy.report_within = Some(60.0);
                policy.at_end = Some("hold".to_owned());
            }),
            of_flags(|policy| {
                policy.alpha_measurements = Some(0.001);
                policy.readings = Some([("humidity".to_owned(), "low_is_bad".to_owned())].into());
            }),
        ];
        for set in cases {
            assert_eq!(set_in(&shown(&set)), set);
        }
    }

    #[test]
    fn alpha_can_be_lowered_below_the_part_that_the_threshold_had() {
        let before = shown(&of_flags(|policy| policy.min_signals = Some(30)));
        let lower = of_flags(|policy| policy.alpha = Some(0.001));
        let both = over(&set_in(&before), &lower);
        assert_eq!(
            both,
            of_flags(|policy| {
                policy.alpha = Some(0.001);
                policy.min_signals = Some(30);
            })
        );
        assert_eq!(shown(&both).alpha_floor, Some(0.001 / 5.0));
    }

    #[test]
    fn what_the_core_refuses_is_told() {
        let refused = |change: fn(&mut Policy)| in_core(&of_flags(change)).unwrap_err();
        let both = refused(|policy| {
            policy.alpha = Some(0.01);
            policy.alpha_floor = Some(0.02);
        });
        assert!(
            both.starts_with("alpha_floor (0.02) and alpha_measurements (0) together"),
            "{both}"
        );
        let word = refused(|policy| policy.at_end = Some("ask".to_owned()));
        assert_eq!(word, "at_end `ask` is unknown, accepted are promote, hold, rollback");
    }
}
