//! Policies as they come in and go out.

use std::collections::BTreeMap;

use canary_core::judge::measurement::Direction;
use canary_core::policy::{
    AtEnd, OnInsufficient, OnSupersede, Policy, ReportWithin, Settings, ThresholdRule,
};
use canary_core::reading::TypeName;
use canary_core::signal::MeasurementName;
use canary_core::value::ValueError;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::payload::{Body, Checks, escaped};
use super::problem::{ApiError, FieldError};
use crate::app::App;

/// How a canary is judged. In a request, what is absent or null is as the product's own default
/// says, and where that says nothing as it is for a team that sets nothing. Answers show all of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Object)]
#[oai(rename = "Policy")]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyBody {
    /// `threshold` (default): a test of the success rate against the threshold that stays valid
    /// however often one looks. `ratio`: the plain success percentage against the threshold once
    /// `min_signals` are in; it promises nothing about false alarms.
    rule: Option<String>,
    /// Chance of rolling back a canary that is not worse, over its whole life, 1e-9 to 0.5, 0.05
    /// if absent. All rules share it.
    alpha: Option<f64>,
    /// What the test against the threshold gets of alpha; a fifth of it if absent, 0 switches it off.
    /// Rule `ratio` takes nothing of alpha, whatever is set; with it this is null in answers unless it
    /// is set.
    alpha_floor: Option<f64>,
    /// What measurements and readings get of alpha, together, where there are some; half of what the
    /// threshold leaves if absent, which is half of alpha with `ratio`. The comparison of failures
    /// with the stable version gets the rest, and is off if that is nothing.
    alpha_measurements: Option<f64>,
    /// Highest ratio of the canary's odds of failing to those of the stable version that is fine,
    /// 0.01 to 100, 1 ("not worse") if absent.
    rho0: Option<f64>,
    /// Whether a canary that is proven good is promoted before its period is over, false if absent.
    early_promotion: Option<bool>,
    /// Ratio of the odds of failing that must not count as proven good, 1.5 to 100, 2 if absent.
    rho: Option<f64>,
    /// A failure rate below which a canary counts as proven good whatever the stable version does,
    /// above 0 and below 1; none if absent.
    q: Option<f64>,
    /// Chance of calling a canary proven good that is not, 1e-9 to 0.5, 0.05 if absent.
    beta: Option<f64>,
    /// Share of the runs that stays with the stable version until the verdict, 0 to 0.9, 0 if
    /// absent. Where everybody gets the canary there is nothing to compare it with.
    holdback: Option<f64>,
    /// Judged signals of the canary that make a verdict at the end of its period, 0 to 1 000 000,
    /// 1 if absent.
    min_signals: Option<i64>,
    /// At the end of the period, when nothing speaks against the canary and it is not proven good:
    /// `promote` (default), `hold` or `rollback`.
    at_end: Option<String>,
    /// With fewer signals at the end of the period: `hold` (default), `promote` or `rollback`.
    on_insufficient: Option<String>,
    /// When a newer release is registered while this one runs: `promote_if_healthy` (default),
    /// `abort` or `reject`.
    on_supersede: Option<String>,
    /// Seconds within which an answer to `latest` must be followed by a report, else it counts as a
    /// failed run, 1 to 2 592 000; if absent, none does.
    report_within: Option<f64>,
    /// Whether every run of one instance counts, false if absent: then its runs count once in each
    /// block of ten, so that retries of one fault are one failure.
    count_repeats: Option<bool>,
    /// Measurements of signals that are compared with those of the stable version, at most 16: their
    /// names, and whether `high_is_bad` or `low_is_bad`.
    measurements: Option<BTreeMap<String, String>>,
    /// Types of readings that are compared with those of the stable version, at most 16: their
    /// names, and whether `high_is_bad` or `low_is_bad`. Readings count that were sent with one of the
    /// two versions and measured since the canary began, each once: of one device, type and version
    /// those that are later than all before.
    readings: Option<BTreeMap<String, String>>,
}

impl Body for PolicyBody {
    const REQUIRED: &'static [&'static str] = &[];
}

impl PolicyBody {
    /// Checks all values over a default; `path` is where the policy stands in the body.
    pub(crate) fn parse(
        &self,
        path: &str,
        default: &Policy,
        checks: &mut Checks,
    ) -> Option<(Settings, Policy)> {
        let at = |setting: &str| format!("{path}{setting}");
        let mut word = |setting: &str, word: &Option<String>, read: &dyn Fn(&str) -> _| match word {
            None => Some(()),
            Some(word) => checks.take(&at(setting), read(word)),
        };
        let none = |result: Result<_, ValueError>| result.map(|_: ThresholdRule| ());
        let rule = word("rule", &self.rule, &|word| none(ThresholdRule::parse(word)));
        let at_end = word("at_end", &self.at_end, &|word| AtEnd::parse(word).map(|_| ()));
        let on_insufficient = word("on_insufficient", &self.on_insufficient, &|word| {
            OnInsufficient::parse(word).map(|_| ())
        });
        let on_supersede =
            word("on_supersede", &self.on_supersede, &|word| OnSupersede::parse(word).map(|_| ()));
        let measurements = judged(&self.measurements, &at("measurements"), checks, |name| {
            MeasurementName::parse(name)
        });
        let readings =
            judged(&self.readings, &at("readings"), checks, |name| TypeName::parse(name));
        rule.and(at_end).and(on_insufficient).and(on_supersede)?;
        let settings = Settings {
            measurements: measurements?,
            readings: readings?,
            ..self.settings_but_names()
        };
        match default.with(&settings) {
            Ok(policy) => Some((settings, policy)),
            Err(error) => {
                checks.take::<(), _>(&at(error.setting()), Err(&error));
                None
            }
        }
    }

    /// Every setting but those with names of their own; words that are unknown are absent.
    fn settings_but_names(&self) -> Settings {
        fn read<T>(
            word: Option<&String>,
            parse: impl Fn(&str) -> Result<T, ValueError>,
        ) -> Option<T> {
            word.and_then(|word| parse(word).ok())
        }
        Settings {
            rule: read(self.rule.as_ref(), ThresholdRule::parse),
            alpha: self.alpha,
            alpha_floor: self.alpha_floor,
            alpha_measurements: self.alpha_measurements,
            rho0: self.rho0,
            early_promotion: self.early_promotion,
            rho: self.rho,
            q: self.q,
            beta: self.beta,
            holdback: self.holdback,
            min_signals: self.min_signals,
            at_end: read(self.at_end.as_ref(), AtEnd::parse),
            on_insufficient: read(self.on_insufficient.as_ref(), OnInsufficient::parse),
            on_supersede: read(self.on_supersede.as_ref(), OnSupersede::parse),
            report_within: self.report_within,
            count_repeats: self.count_repeats,
            measurements: None,
            readings: None,
        }
    }
}

/// Refuses types of readings that nobody declared: a canary would be judged by nothing, and nobody
/// would see why.
pub(crate) fn check_types(app: &App, path: &str, policy: &Policy) -> Result<(), ApiError> {
    let names = app.readings.names();
    let is_unknown = |name: &&TypeName| names.type_id(name.as_str()).is_none();
    let refuse = |name: &TypeName| FieldError {
        pointer: format!("/{path}readings/{}", escaped(name.as_str())),
        detail: format!("type `{name}` is unknown, declared are {}", names.listed()),
    };
    let errors: Vec<FieldError> = policy.readings.keys().filter(is_unknown).map(refuse).collect();
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(errors)) }
}

/// What is judged, by name.
type Judged<N> = Option<BTreeMap<N, Direction>>;

fn judged<N: Ord>(
    entries: &Option<BTreeMap<String, String>>,
    path: &str,
    checks: &mut Checks,
    name: impl Fn(&str) -> Result<N, ValueError>,
) -> Option<Judged<N>> {
    let Some(entries) = entries else { return Some(None) };
    let mut judged = BTreeMap::new();
    let mut is_whole = true;
    for (key, word) in entries {
        let path = format!("{path}/{}", escaped(key));
        match (checks.take(&path, name(key)), checks.take(&path, Direction::parse(word))) {
            (Some(name), Some(direction)) => {
                judged.insert(name, direction);
            }
            _ => is_whole = false,
        }
    }
    is_whole.then_some(Some(judged))
}

impl From<&Settings> for PolicyBody {
    fn from(settings: &Settings) -> Self {
        let names =
            |name: &str, direction: &Direction| (name.to_owned(), direction.as_str().to_owned());
        let measurements = settings.measurements.as_ref().map(|judged| {
            judged.iter().map(|(name, direction)| names(name.as_str(), direction)).collect()
        });
        let readings = settings.readings.as_ref().map(|judged| {
            judged.iter().map(|(name, direction)| names(name.as_str(), direction)).collect()
        });
        Self {
            rule: settings.rule.map(|word| word.as_str().to_owned()),
            alpha: settings.alpha,
            alpha_floor: settings.alpha_floor,
            alpha_measurements: settings.alpha_measurements,
            rho0: settings.rho0,
            early_promotion: settings.early_promotion,
            rho: settings.rho,
            q: settings.q,
            beta: settings.beta,
            holdback: settings.holdback,
            min_signals: settings.min_signals,
            at_end: settings.at_end.map(|word| word.as_str().to_owned()),
            on_insufficient: settings.on_insufficient.map(|word| word.as_str().to_owned()),
            on_supersede: settings.on_supersede.map(|word| word.as_str().to_owned()),
            report_within: settings.report_within,
            count_repeats: settings.count_repeats,
            measurements,
            readings,
        }
    }
}

/// Every setting that is in force, with what alpha's parts come to where they are not set: that of
/// the threshold if its rule takes one, that of measurements if there are some.
impl From<&Policy> for PolicyBody {
    fn from(policy: &Policy) -> Self {
        let mut body = Self::from(&policy.settings());
        let of_floor = (policy.rule == ThresholdRule::Threshold).then(|| policy.chances.floor());
        body.alpha_floor = body.alpha_floor.or(of_floor);
        let of_measurements = (policy.judged() > 0).then(|| policy.chances.measurements());
        body.alpha_measurements = body.alpha_measurements.or(of_measurements);
        body.report_within = policy.report_within.map(ReportWithin::seconds);
        body
    }
}
