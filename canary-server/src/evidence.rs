//! Evidence as it is stored with a decision and shown by the API: anyone can compute the verdict
//! again from it.

use canary_core::judge::Test;
use canary_core::judge::interval::success_rate_95;
use canary_core::rollout::{Counts, Evidence};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

/// Runs of one version, and the success rates they are compatible with.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Arm")]
pub(crate) struct ArmBody {
    /// Runs that succeeded.
    success: u64,
    /// Runs that failed.
    failed: u64,
    /// Runs that say nothing about the version.
    neutral: u64,
    /// Success rate in percent; nothing without a run.
    success_rate: Option<f64>,
    /// Lower end of the exact 95 % interval of the success rate, in percent, for one look.
    success_rate_low: Option<f64>,
    /// Upper end of the same interval.
    success_rate_high: Option<f64>,
}

impl From<&Counts> for ArmBody {
    fn from(counts: &Counts) -> Self {
        let Counts { success, failed, neutral } = *counts;
        let runs = counts.judged();
        let interval = success_rate_95(success, runs);
        let percent = |rate: f64| (rate * 1e6).round() / 1e4;
        Self {
            success,
            failed,
            neutral,
            success_rate: (runs > 0).then(|| percent(success as f64 / runs as f64)),
            success_rate_low: interval.map(|(low, _)| percent(low)),
            success_rate_high: interval.map(|(_, high)| percent(high)),
        }
    }
}

/// What the rule of the policy made of the runs.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Test")]
pub(crate) struct TestBody {
    /// `threshold` or `ratio`.
    rule: String,
    /// Highest failure rate that the threshold allows, 0 to 1.
    allowed_failure_rate: f64,
    /// Natural logarithm of the evidence against the canary, at its highest so far. Rule
    /// `threshold` only; nothing if a single failure is already the proof.
    max_log_e: Option<f64>,
    /// Chance of a false alarm, over the whole life of the canary, at which it is rolled back.
    /// Rule `threshold` only.
    alpha: Option<f64>,
    /// Anytime-valid p-value, `min(1, 1 / max E)`. Rule `threshold` only.
    p_value: Option<f64>,
    /// Runs that must be in before the rule speaks. Rule `ratio` only.
    min_signals: Option<u64>,
    /// Whether the rule speaks against the canary.
    is_crossed: bool,
}

impl From<&Test> for TestBody {
    fn from(test: &Test) -> Self {
        match test {
            Test::Threshold(reading) => Self {
                rule: "threshold".to_owned(),
                allowed_failure_rate: reading.allowed,
                max_log_e: Some(reading.max_log_e).filter(|log_e| log_e.is_finite()),
                alpha: Some(reading.alpha),
                p_value: Some(reading.p_value()),
                min_signals: None,
                is_crossed: test.is_crossed(),
            },
            Test::Ratio(reading) => Self {
                rule: "ratio".to_owned(),
                allowed_failure_rate: reading.threshold.failure_rate(),
                max_log_e: None,
                alpha: None,
                p_value: None,
                min_signals: Some(reading.min_signals),
                is_crossed: test.is_crossed(),
            },
        }
    }
}

/// What was known when something was decided.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Evidence")]
pub(crate) struct EvidenceBody {
    /// The band, counted from 1; 0 before the first.
    band: u16,
    /// The canary's share in that band, 0 to 1.
    share: f64,
    /// Runs of the canary in all bands.
    canary: ArmBody,
    /// Runs of the stable version meanwhile.
    stable: ArmBody,
    /// What the rule made of them.
    test: TestBody,
}

impl From<&Evidence> for EvidenceBody {
    fn from(evidence: &Evidence) -> Self {
        Self {
            band: evidence.band,
            share: evidence.share.as_f64(),
            canary: (&evidence.canary).into(),
            stable: (&evidence.stable).into(),
            test: (&evidence.test).into(),
        }
    }
}
