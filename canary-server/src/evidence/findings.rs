//! What each rule has found, with all numbers from which it is computed.

use canary_core::judge::blocks::{self, open::Block};
use canary_core::judge::measurement::{self, Measured};
use canary_core::judge::promotion;
use canary_core::judge::rules::findings::{Baseline, Findings, Found, Proof};
use canary_core::judge::sequential::Reading;
use canary_core::judge::{Test, floor};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

/// What a test has found that stays valid however often one looks.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "SequentialTest")]
pub(crate) struct ReadingBody {
    /// Natural logarithm of the evidence `E` now; null if it is beyond all numbers.
    log_e: Option<f64>,
    /// The same at its highest of all looks, at least 0: what was found stays found. Null if a single
    /// run is already the proof.
    max_log_e: Option<f64>,
    /// `ln(1 / alpha)`: the rule speaks when `max_log_e` reaches it.
    log_e_needed: f64,
    /// Chance of a wrong verdict of this rule, over the whole life of the canary.
    alpha: f64,
    /// Anytime-valid p-value, `min(1, 1 / max E)`.
    p_value: f64,
    /// Whether the rule speaks: whether `p_value` is at most `alpha`.
    is_crossed: bool,
}

impl From<&Reading> for ReadingBody {
    fn from(reading: &Reading) -> Self {
        let finite = |log: f64| Some(log).filter(|log| log.is_finite());
        Self {
            log_e: finite(reading.log_e),
            max_log_e: finite(reading.max_log_e),
            log_e_needed: reading.alpha.limit(),
            alpha: reading.alpha.get(),
            p_value: reading.p_value(),
            is_crossed: reading.is_crossed(),
        }
    }
}

/// The success rate against the threshold. Rule `threshold`: with the highest failure rate `q` that
/// is allowed, `E = Σ w · (p / q)^failed · ((1 − p) / (1 − q))^success`, where `p` lies at 0.1, 0.25,
/// 0.5, 0.75 and 1 of the way from `q` to 1, and `w` is (1, 1, 1, 1, 2) / 6.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "ThresholdTest")]
pub(crate) struct ThresholdBody {
    /// `threshold` or `ratio`.
    rule: String,
    /// Highest failure rate that the threshold allows, 0 to 1.
    allowed_failure_rate: f64,
    /// Natural logarithm of the evidence against the canary, at its highest of all looks. Rule
    /// `threshold` only; null if a single failure is already the proof.
    max_log_e: Option<f64>,
    /// Chance of a false alarm of this rule, over the whole life of the canary. Rule `threshold`
    /// only.
    alpha: Option<f64>,
    /// Anytime-valid p-value, `min(1, 1 / max E)`: the rule speaks when it is at most `alpha`. Rule
    /// `threshold` only.
    p_value: Option<f64>,
    /// Runs that must be in before the rule speaks. Rule `ratio` only.
    min_signals: Option<u64>,
    /// Whether the rule speaks against the canary.
    is_crossed: bool,
}

impl From<&Test> for ThresholdBody {
    fn from(test: &Test) -> Self {
        match test {
            Test::Threshold(floor::Reading { allowed, max_log_e, alpha, .. }) => Self {
                rule: "threshold".to_owned(),
                allowed_failure_rate: *allowed,
                max_log_e: Some(*max_log_e).filter(|log_e| log_e.is_finite()),
                alpha: Some(*alpha),
                p_value: Some((-max_log_e).exp().min(1.0)),
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

/// Runs of both versions in the block that is being filled: it is closed with ten runs, as soon as
/// both versions are among them, and when the canary's share changes. An instance counts once per
/// version and block, unless the policy counts repeats.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "OpenBlock")]
pub(crate) struct BlockBody {
    /// Runs of the canary that count.
    canary_runs: u64,
    /// Those of them that failed.
    canary_failed: u64,
    /// Runs of the stable version that count.
    stable_runs: u64,
    /// Those of them that failed.
    stable_failed: u64,
}

impl From<&Block> for BlockBody {
    fn from(block: &Block) -> Self {
        Self {
            canary_runs: block.canary.runs,
            canary_failed: block.canary.failed,
            stable_runs: block.baseline.runs,
            stable_failed: block.baseline.failed,
        }
    }
}

/// Failures compared with those of the stable version, block by block of ten runs:
/// `E = Σ weight · e^log`, over the odds ratios that are weighed.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "BaselineTest")]
pub(crate) struct BaselineBody {
    /// Highest ratio of the canary's odds of failing to those of the stable version that is fine.
    rho0: f64,
    /// The odds ratios that are weighed, as multiples of `rho0`: how many times worse the canary
    /// might be.
    odds: Vec<f64>,
    /// The weight of each.
    weights: Vec<f64>,
    /// The logarithm that all closed blocks add up to, for each: how much better it explains the
    /// runs than `rho0` does.
    logs: Vec<f64>,
    /// The block that is being filled; it counts when it is closed.
    open_block: BlockBody,
    /// What follows: whether the canary is worse.
    test: ReadingBody,
}

impl From<&Baseline> for BaselineBody {
    fn from(baseline: &Baseline) -> Self {
        Self {
            rho0: baseline.rho0,
            odds: blocks::ODDS.to_vec(),
            weights: blocks::WEIGHTS.to_vec(),
            logs: baseline.logs.to_vec(),
            open_block: (&baseline.open).into(),
            test: (&baseline.reading).into(),
        }
    }
}

/// What the runs, or the devices, of one version have measured, as far as they count in a block.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Measured")]
pub(crate) struct MeasuredBody {
    /// Runs with a value.
    present: u64,
    /// Runs without one.
    missing: u64,
    /// Runs beyond each of the three limits, in the order of `limits`.
    beyond: Vec<u64>,
}

impl From<&Measured> for MeasuredBody {
    fn from(measured: &Measured) -> Self {
        let Measured { present, missing, beyond } = *measured;
        Self { present, missing, beyond: beyond.to_vec() }
    }
}

/// A measurement compared with that of the stable version:
/// `E = 0.3 · (E of each limit) + 0.1 · E of what is missing`, each `Σ weight · e^log`.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "MeasurementTest")]
pub(crate) struct MeasurementBody {
    /// Its name, or the type of the readings.
    name: String,
    /// `signals` or `readings`.
    source: String,
    /// `high_is_bad` or `low_is_bad`.
    direction: String,
    /// Values of the stable version that limits were learned from so far. 100 are enough: when the
    /// limits are fixed this is 100, from however many values they were taken.
    learned_from: u64,
    /// Values that half, a tenth and a hundredth of the stable version's were beyond, in the unit of
    /// the measurement; null while they are learned.
    limits: Option<Vec<f64>>,
    /// What the canary has measured; null while limits are learned.
    canary: Option<MeasuredBody>,
    /// What the stable version has measured meanwhile; null while limits are learned.
    stable: Option<MeasuredBody>,
    /// The odds ratios that are weighed.
    odds: Vec<f64>,
    /// The weight of each.
    weights: Vec<f64>,
    /// The logarithms that all closed blocks add up to: for the three limits, then for what is
    /// missing, for each odds ratio. Null while limits are learned.
    logs: Option<Vec<Vec<f64>>>,
    /// What follows: whether the canary measures worse; null while limits are learned.
    test: Option<ReadingBody>,
}

impl From<&Found> for MeasurementBody {
    fn from(found: &Found) -> Self {
        let compared = found.compared.as_ref();
        Self {
            name: found.name.clone(),
            source: found.source.as_str().to_owned(),
            direction: found.direction.as_str().to_owned(),
            learned_from: found.learned_from,
            limits: compared.map(|compared| compared.limits.to_vec()),
            canary: compared.map(|compared| (&compared.measured.canary).into()),
            stable: compared.map(|compared| (&compared.measured.baseline).into()),
            odds: measurement::ODDS.to_vec(),
            weights: measurement::WEIGHTS.to_vec(),
            logs: compared.map(|compared| compared.logs.iter().map(|logs| logs.to_vec()).collect()),
            test: compared.map(|compared| (&compared.reading).into()),
        }
    }
}

/// What speaks for the canary: `E = ½ Σ weight · e^log + ½ E of the failure rate against q`, or the
/// first sum alone without a `q`. The second is the mean of `(p / q)^failed · ((1 − p) / (1 − q))^success`
/// over `p = q · (0.02, 0.1, 0.25, 0.5, 0.75)`.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "ProofTest")]
pub(crate) struct ProofBody {
    /// Ratio of the canary's odds of failing to those of the stable version that must not count as
    /// proven good.
    rho: f64,
    /// Failure rate below which the canary is good whatever the stable version does; null if the
    /// policy has none.
    q: Option<f64>,
    /// The odds ratios that are weighed.
    odds: Vec<f64>,
    /// The weight of each.
    weights: Vec<f64>,
    /// The logarithm that all closed blocks add up to, for each.
    logs: Vec<f64>,
    /// What follows; `is_crossed` means that the canary is proven good. Between two closed blocks only
    /// the half of the failure rate may be looked at, so `max_log_e`, which decides, may lie below
    /// `log_e`.
    test: ReadingBody,
}

impl From<&Proof> for ProofBody {
    fn from(proof: &Proof) -> Self {
        Self {
            rho: proof.rho,
            q: proof.q,
            odds: promotion::ODDS.to_vec(),
            weights: promotion::WEIGHTS.to_vec(),
            logs: proof.logs.to_vec(),
            test: (&proof.reading).into(),
        }
    }
}

/// What the rules of the policy made of the runs.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Findings")]
pub(crate) struct FindingsBody {
    /// The success rate against the threshold; null if the rule gets nothing of alpha.
    threshold: Option<ThresholdBody>,
    /// The comparison with the stable version; null if the rule gets nothing of alpha.
    baseline: Option<BaselineBody>,
    /// Measurements of signals, then readings, that the policy judges, by name.
    measurements: Vec<MeasurementBody>,
    /// What speaks for the canary; null unless the policy promotes early, or does at the end of the
    /// period other than promote.
    proof: Option<ProofBody>,
}

impl From<&Findings> for FindingsBody {
    fn from(findings: &Findings) -> Self {
        Self {
            threshold: findings.threshold.as_ref().map(Into::into),
            baseline: findings.baseline.as_ref().map(Into::into),
            measurements: findings.measurements.iter().map(Into::into).collect(),
            proof: findings.proof.as_ref().map(Into::into),
        }
    }
}
