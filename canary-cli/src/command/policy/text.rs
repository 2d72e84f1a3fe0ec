//! Policies for people.

use std::collections::BTreeMap;

use canary_client::Policy;

use super::full;
use crate::output;

/// A policy in full, and the built-in value of what is another.
pub(crate) fn table(policy: &Policy) -> String {
    let default = settings(&full(&canary_core::policy::Policy::default()));
    let lines = settings(policy).into_iter().zip(default);
    output::pairs(lines.map(|((name, value), (_, default))| match (value, default) {
        (value, default) if value == default || follows(name) => (name, output::or_dash(value)),
        (value, default) => {
            let default = default.unwrap_or_else(|| "none".to_owned());
            (name, format!("{} (default {default})", output::or_dash(value)))
        }
    }))
}

/// Whether the default of a setting depends on others.
fn follows(name: &str) -> bool {
    matches!(name, "alpha_floor" | "alpha_measurements")
}

/// What is set in a policy: "alpha 0.01, at_end hold".
pub(crate) fn differences(policy: &Policy) -> String {
    let set = settings(policy).into_iter().filter_map(|(name, value)| Some((name, value?)));
    set.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// Every setting under its name.
fn settings(policy: &Policy) -> Vec<(&'static str, Option<String>)> {
    let number = |value: Option<f64>| value.map(output::number);
    let word = |word: &Option<String>| word.clone();
    let answer =
        |is_so: Option<bool>| is_so.map(|is_so| if is_so { "yes" } else { "no" }.to_owned());
    vec![
        ("rule", word(&policy.rule)),
        ("alpha", number(policy.alpha)),
        ("alpha_floor", number(policy.alpha_floor)),
        ("alpha_measurements", number(policy.alpha_measurements)),
        ("rho0", number(policy.rho0)),
        ("early_promotion", answer(policy.early_promotion)),
        ("rho", number(policy.rho)),
        ("q", number(policy.q)),
        ("beta", number(policy.beta)),
        ("holdback", number(policy.holdback)),
        ("min_signals", policy.min_signals.map(|count| count.to_string())),
        ("at_end", word(&policy.at_end)),
        ("on_insufficient", word(&policy.on_insufficient)),
        ("on_supersede", word(&policy.on_supersede)),
        ("report_within", policy.report_within.map(|seconds| output::period(seconds / 86_400.0))),
        ("count_repeats", answer(policy.count_repeats)),
        ("measurements", judged(policy.measurements.as_ref())),
        ("readings", judged(policy.readings.as_ref())),
    ]
}

/// "latency_ms (high_is_bad), rows (low_is_bad)", or that there are none.
fn judged(judged: Option<&BTreeMap<String, String>>) -> Option<String> {
    let judged = judged?;
    if judged.is_empty() {
        return Some("none".to_owned());
    }
    let each = judged.iter().map(|(name, direction)| format!("{name} ({direction})"));
    Some(each.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::policy::in_core;

    #[test]
    fn a_policy_is_shown_beside_what_it_would_be_by_default() {
        let policy: Policy = serde_json::from_value(serde_json::json!({
            "alpha": 0.01, "early_promotion": true, "q": 0.05, "report_within": 600.0,
            "measurements": {"latency_ms": "high_is_bad", "rows": "low_is_bad"},
        }))
        .unwrap();
        insta::assert_snapshot!("policy", table(&full(&in_core(&policy).unwrap())));
        assert_eq!(
            differences(&policy),
            "alpha 0.01, early_promotion yes, q 0.05, report_within 10 min, \
             measurements latency_ms (high_is_bad), rows (low_is_bad)"
        );
    }
}
