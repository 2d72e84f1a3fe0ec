//! Findings: what each rule makes of the runs, with the numbers from which it is computed.

use serde::{Deserialize, Serialize};

/// What the rules of a policy made of the runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Findings {
    /// The success rate against the threshold; `None` if that rule is off.
    pub threshold: Option<ThresholdTest>,
    /// The comparison with the stable version; `None` if that rule is off.
    pub baseline: Option<BaselineTest>,
    /// Measurements of signals, then readings, that the policy judges.
    pub measurements: Vec<MeasurementTest>,
    /// What speaks for the canary; `None` if the policy asks for no proof.
    pub proof: Option<ProofTest>,
}

/// What a test has found that stays valid however often one looks.
///
/// Evidence `E` starts at 1; the rule speaks once it has reached `1 / alpha`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SequentialTest {
    /// Natural logarithm of the evidence now; `None` if it is beyond all numbers.
    pub log_e: Option<f64>,
    /// The same at its highest so far, at least 0; `None` if a single run is already the proof.
    pub max_log_e: Option<f64>,
    /// `ln(1 / alpha)`, at which the rule speaks.
    pub log_e_needed: f64,
    /// The chance of a wrong verdict, over the whole life of the canary.
    pub alpha: f64,
    /// The p-value, 0 to 1, valid however often one looks.
    pub p_value: f64,
    /// Whether the rule speaks.
    pub is_crossed: bool,
}

/// The success rate against the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThresholdTest {
    /// `threshold` or `ratio`.
    pub rule: String,
    /// The highest failure rate that the threshold allows, 0 to 1.
    pub allowed_failure_rate: f64,
    /// Natural logarithm of the evidence against the canary, at its highest so far. Rule
    /// `threshold` only; `None` there if a single failure is already the proof.
    #[serde(default)]
    pub max_log_e: Option<f64>,
    /// The chance of a false alarm at which the rule speaks. Rule `threshold` only.
    #[serde(default)]
    pub alpha: Option<f64>,
    /// The p-value, 0 to 1, valid however often one looks. Rule `threshold` only.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// Runs that must be in before the rule speaks. Rule `ratio` only.
    #[serde(default)]
    pub min_signals: Option<u64>,
    /// Whether the rule speaks against the canary.
    pub is_crossed: bool,
}

/// Failures compared with those of the stable version, block by block: `E = Σ weight · e^log`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaselineTest {
    /// The highest ratio of the odds of failing that is fine.
    pub rho0: f64,
    /// The odds ratios that are weighed, as multiples of `rho0`.
    #[serde(default)]
    pub odds: Vec<f64>,
    /// The weight of each.
    #[serde(default)]
    pub weights: Vec<f64>,
    /// The logarithm that all closed blocks add up to, for each.
    #[serde(default)]
    pub logs: Vec<f64>,
    /// The block that is being filled; it counts when it is closed.
    #[serde(default)]
    pub open_block: OpenBlock,
    /// What follows.
    pub test: SequentialTest,
}

/// Runs of both versions in the block that is being filled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OpenBlock {
    /// Runs of the canary that count.
    pub canary_runs: u64,
    /// Those of them that failed.
    pub canary_failed: u64,
    /// Runs of the stable version that count.
    pub stable_runs: u64,
    /// Those of them that failed.
    pub stable_failed: u64,
}

/// A measurement or a type of readings compared with that of the stable version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeasurementTest {
    /// Its name, or the type of the readings.
    pub name: String,
    /// `signals` or `readings`.
    pub source: String,
    /// `high_is_bad` or `low_is_bad`.
    pub direction: String,
    /// Values of the stable version from which limits are taken; 100 are needed.
    pub learned_from: u64,
    /// Values that half, a tenth and a hundredth of the stable version's were beyond; `None` while
    /// they are learned.
    #[serde(default)]
    pub limits: Option<Vec<f64>>,
    /// What the canary has measured since.
    #[serde(default)]
    pub canary: Option<Measured>,
    /// What the stable version has measured since.
    #[serde(default)]
    pub stable: Option<Measured>,
    /// The odds ratios that are weighed.
    #[serde(default)]
    pub odds: Vec<f64>,
    /// The weight of each.
    #[serde(default)]
    pub weights: Vec<f64>,
    /// The logarithms that all closed blocks add up to: for the three limits, then for what is
    /// missing, for each odds ratio.
    #[serde(default)]
    pub logs: Option<Vec<Vec<f64>>>,
    /// What follows; `None` while limits are learned.
    #[serde(default)]
    pub test: Option<SequentialTest>,
}

/// What the runs of one version have measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Measured {
    /// Runs with a value.
    pub present: u64,
    /// Runs without one.
    pub missing: u64,
    /// Runs beyond each of the limits.
    pub beyond: Vec<u64>,
}

/// What speaks for the canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProofTest {
    /// The ratio of the odds of failing that must not count as proven good.
    pub rho: f64,
    /// The failure rate that counts as good whatever the stable version does.
    #[serde(default)]
    pub q: Option<f64>,
    /// The odds ratios that are weighed.
    #[serde(default)]
    pub odds: Vec<f64>,
    /// The weight of each.
    #[serde(default)]
    pub weights: Vec<f64>,
    /// The logarithm that all closed blocks add up to, for each.
    #[serde(default)]
    pub logs: Vec<f64>,
    /// What follows; `is_crossed` means that the canary is proven good.
    pub test: SequentialTest,
}
