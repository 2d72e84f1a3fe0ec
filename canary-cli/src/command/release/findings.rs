//! What each rule has found, in words.

use canary_client::{Analysis, Measured, MeasurementTest, SequentialTest, ThresholdTest};

use crate::output;

/// One rule, and what it has found.
pub(super) struct Finding {
    /// `threshold`, `ratio`, `baseline`, `early_promotion`, or the name of a measurement.
    pub(super) rule: String,
    /// The evidence, for people; a dash where there is none.
    pub(super) evidence: String,
    /// The evidence at which the rule speaks.
    pub(super) needed: String,
    /// The p-value, 0 to 1.
    pub(super) p_value: Option<f64>,
    /// Whether the rule speaks.
    pub(super) is_crossed: bool,
    /// Whether it is one of many of its kind.
    pub(super) is_measurement: bool,
    /// How far it is, as a sentence.
    pub(super) words: String,
}

/// All rules of a canary: those that may speak against it, then the one that may speak for it.
pub(super) fn of(analysis: &Analysis) -> Vec<Finding> {
    let findings = &analysis.findings;
    let stable = analysis.stable_version.as_deref().unwrap_or("the stable version");
    let mut found = Vec::new();
    found.extend(findings.threshold.as_ref().map(threshold));
    found.extend(findings.baseline.as_ref().map(|baseline| {
        let words = match &analysis.stable_version {
            Some(stable) => {
                format!("the comparison with {stable} has {}", evidence_of(&baseline.test))
            }
            None => "there is no version to compare it with".to_owned(),
        };
        Finding::of_test("baseline", &baseline.test, words)
    }));
    found.extend(findings.measurements.iter().map(|test| measurement(test, stable)));
    found.extend(findings.proof.as_ref().map(|proof| {
        let Finding { evidence, needed, .. } =
            Finding::of_test("early_promotion", &proof.test, String::new());
        let words = if proof.test.is_crossed {
            "it is proven good enough".to_owned()
        } else {
            format!("evidence {evidence} of the {needed} that prove it good enough")
        };
        Finding::of_test("early_promotion", &proof.test, words)
    }));
    found
}

impl Finding {
    fn of_test(rule: &str, test: &SequentialTest, words: String) -> Self {
        Self {
            rule: rule.to_owned(),
            evidence: amount(test.max_log_e),
            needed: amount(Some(test.log_e_needed)),
            p_value: Some(test.p_value),
            is_crossed: test.is_crossed,
            is_measurement: false,
            words,
        }
    }
}

fn threshold(test: &ThresholdTest) -> Finding {
    let percent = output::percent(1.0 - test.allowed_failure_rate);
    let must = format!("at least {percent} must succeed");
    let (evidence, needed, words) = match test.alpha {
        Some(alpha) => {
            let (evidence, needed) = (amount(test.max_log_e), amount(Some(-alpha.ln())));
            let words = format!("{} ({must})", so_far(&evidence, &needed, test.is_crossed));
            (evidence, needed, words)
        }
        None => {
            let runs = match test.min_signals.unwrap_or_default() {
                0 | 1 => "once a run is in".to_owned(),
                runs => format!("once {runs} runs are in"),
            };
            let speaks = if test.is_crossed { ", and fewer do" } else { "" };
            ("-".to_owned(), "-".to_owned(), format!("{must}, {runs}{speaks}"))
        }
    };
    let (rule, p_value, is_crossed) = (test.rule.clone(), test.p_value, test.is_crossed);
    Finding { rule, evidence, needed, p_value, is_crossed, is_measurement: false, words }
}

fn measurement(found: &MeasurementTest, stable: &str) -> Finding {
    let Some(test) = &found.test else {
        return Finding {
            rule: found.name.clone(),
            evidence: "-".to_owned(),
            needed: "-".to_owned(),
            p_value: None,
            is_crossed: false,
            is_measurement: true,
            words: format!(
                "its limits are learned from {stable}, {} of 100 values are in",
                found.learned_from
            ),
        };
    };
    let told = told(found, stable).map(|told| format!("{told}: ")).unwrap_or_default();
    let words = format!("{told}{}", evidence_of(test));
    Finding { is_measurement: true, ..Finding::of_test(&found.name, test, words) }
}

/// "above 240 in 61 of 80 runs, with 1.4.0 in 30 of 300", at the limit that tells most.
fn told(found: &MeasurementTest, stable: &str) -> Option<String> {
    let (canary, others) = (found.canary.as_ref()?, found.stable.as_ref()?);
    let highest = |logs: &Vec<f64>| logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let logs = found.logs.as_ref()?.iter().enumerate();
    let (index, _) = logs.max_by(|(_, one), (_, other)| highest(one).total_cmp(&highest(other)))?;
    let limit = found.limits.as_ref()?.get(index);
    let of = |measured: &Measured| match limit.and(measured.beyond.get(index)) {
        Some(beyond) => format!("{beyond} of {}", measured.present),
        None => format!("{} of {}", measured.missing, measured.missing + measured.present),
    };
    let what = match (limit, found.direction.as_str()) {
        (None, _) => "missing".to_owned(),
        (Some(limit), "low_is_bad") => format!("below {}", output::digits(*limit)),
        (Some(limit), _) => format!("above {}", output::digits(*limit)),
    };
    let runs = if found.source == "readings" { "readings" } else { "runs" };
    Some(format!("{what} in {} {runs}, with {stable} in {}", of(canary), of(others)))
}

fn evidence_of(test: &SequentialTest) -> String {
    so_far(&amount(test.max_log_e), &amount(Some(test.log_e_needed)), test.is_crossed)
}

fn so_far(evidence: &str, needed: &str, is_crossed: bool) -> String {
    match is_crossed {
        true => format!("evidence {evidence}, where {needed} is enough to speak against it"),
        false => format!("evidence {evidence} of the {needed} that it needs"),
    }
}

/// `E` of its logarithm, never rounded up: "3.1", "265", "over a million".
fn amount(log_e: Option<f64>) -> String {
    const MOST: f64 = 1e6;
    // 1 / 0.04 is a hair below 25 when it comes back from its logarithm.
    let e = log_e.map_or(f64::INFINITY, f64::exp) * (1.0 + 1e-12);
    match e {
        ..10.0 => ((e * 10.0).floor() / 10.0).to_string(),
        ..MOST => e.floor().to_string(),
        _ => "over a million".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::analysis::tests::running;
    use super::*;

    #[test]
    fn evidence_is_never_rounded_up() {
        let cases = [
            (Some(0.0), "1"),
            (Some(3.19_f64.ln()), "3.1"),
            (Some(99.99_f64.ln()), "99"),
            (Some(-0.04_f64.ln()), "25"),
            (Some(-0.01_f64.ln()), "100"),
            (Some(-0.005_f64.ln()), "200"),
            (Some(20.0), "over a million"),
            (None, "over a million"),
        ];
        for (log_e, want) in cases {
            assert_eq!(amount(log_e), want, "{log_e:?}");
        }
    }

    #[test]
    fn every_rule_says_how_far_it_is() {
        let found = of(&running());
        let lines = found.iter().map(|found| format!("{}: {}", found.rule, found.words));
        assert_eq!(
            lines.collect::<Vec<_>>(),
            [
                "threshold: evidence 1.2 of the 100 that it needs (at least 80 % must succeed)",
                "baseline: the comparison with 1.4.0 has evidence 3.1 of the 25 that it needs",
                "latency_ms: above 240.5 in 61 of 80 runs, with 1.4.0 in 30 of 300: evidence 40, \
                 where 25 is enough to speak against it",
                "rows: its limits are learned from 1.4.0, 37 of 100 values are in",
                "early_promotion: evidence 2.2 of the 20 that prove it good enough",
            ]
        );
    }

    #[test]
    fn a_ratio_says_when_it_begins_to_count() {
        let ratio = |min_signals, is_crossed| -> String {
            let test = serde_json::json!({"rule": "ratio", "allowed_failure_rate": 0.05,
                "min_signals": min_signals, "is_crossed": is_crossed});
            threshold(&serde_json::from_value(test).unwrap()).words
        };
        assert_eq!(ratio(30, false), "at least 95 % must succeed, once 30 runs are in");
        assert_eq!(ratio(1, true), "at least 95 % must succeed, once a run is in, and fewer do");
    }
}
