//! Analyses: what the judge sees of a canary.

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use super::findings::Findings;
use super::release::{Band, Unreported};

/// What the judge sees of a canary, or saw at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Analysis {
    /// The canary.
    pub release: ReleaseName,
    /// The version that it is compared with; `None` if there was none.
    #[serde(default)]
    pub stable_version: Option<String>,
    /// When this was computed, in RFC 3339.
    pub at: String,
    /// The band, from 1; 0 before the first.
    pub band: u16,
    /// The canary's part of the runs or instances in that band, 0 to 1.
    pub share: f64,
    /// The canary's runs in all bands.
    pub canary: JudgedArm,
    /// The stable version's runs meanwhile.
    pub stable: JudgedArm,
    /// Answers that were handed out and not reported in time.
    #[serde(default)]
    pub unreported: Unreported,
    /// The bands with the judged runs in each, the first one first.
    #[serde(default)]
    pub bands: Vec<Band>,
    /// What each rule has found.
    #[serde(default)]
    pub findings: Findings,
    /// What is missing for a verdict; `None` when it is no open canary.
    #[serde(default)]
    pub outlook: Option<Outlook>,
    /// For people, beside the verdict and never a gate.
    #[serde(default)]
    pub comparisons: Comparisons,
    /// The decision that ended its time as a canary; `None` while there is none.
    #[serde(default)]
    pub verdict: Option<Decision>,
}

/// A release, for short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReleaseName {
    /// Its identifier, a UUID.
    pub id: String,
    /// The version, to the letter.
    pub semver_version: String,
    /// Its state, as that of a [`Release`](crate::Release).
    #[serde(default)]
    pub state: Option<String>,
}

/// Runs of one version, and the success rates they are compatible with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct JudgedArm {
    /// Runs that did what they should.
    pub success: u64,
    /// Runs that did not.
    pub failed: u64,
    /// Runs that say nothing about the version.
    pub neutral: u64,
    /// The success rate in percent; `None` without a run.
    pub success_rate: Option<f64>,
    /// The lower end of its exact 95 % interval, in percent, for one look.
    pub success_rate_low: Option<f64>,
    /// The upper end of the same interval.
    pub success_rate_high: Option<f64>,
}

/// How far a verdict is at best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outlook {
    /// Judged runs that are missing for [`Policy::min_signals`](crate::Policy::min_signals).
    #[serde(default)]
    pub signals_missing: u64,
    /// Runs of the canary that would have to fail, one after another, for it to be rolled back;
    /// `None` if no number that was tried would do.
    #[serde(default)]
    pub failures_to_rollback: Option<u64>,
    /// Runs of the canary that would have to succeed, one after another, for it to be promoted
    /// early; `None` if it is not promoted early, or no number that was tried would do.
    #[serde(default)]
    pub successes_to_promotion: Option<u64>,
    /// The same in words.
    pub sentence: String,
}

/// Comparisons for people: each holds for one look that was planned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Comparisons {
    /// The failure rates; `None` while one of the versions has no judged run.
    pub failure_rate: Option<FailureRates>,
    /// Measurements of signals, then readings that the policy judges.
    pub measurements: Vec<MeasurementComparison>,
}

/// The failure rates of both versions, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureRates {
    /// The canary's.
    pub canary: f64,
    /// The stable version's.
    pub stable: f64,
    /// The canary's less the stable version's.
    pub difference: f64,
    /// The lower end of the difference's 95 % interval; `None` where it cannot be told.
    #[serde(default)]
    pub low: Option<f64>,
    /// The upper end of the same interval.
    #[serde(default)]
    pub high: Option<f64>,
}

/// One measurement, or one type of readings, of both versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeasurementComparison {
    /// Its name, or the type of the readings.
    pub name: String,
    /// `signals` or `readings`.
    #[serde(default)]
    pub source: String,
    /// The canary's values.
    pub canary: Quantiles,
    /// The stable version's values meanwhile.
    pub stable: Quantiles,
    /// The difference of the means; `None` with fewer than two values of a version.
    #[serde(default)]
    pub welch: Option<Welch>,
    /// The order of the values; `None` for readings, and where there are no values.
    #[serde(default)]
    pub mann_whitney: Option<MannWhitney>,
}

/// The values of one version, in the unit of the measurement; all but the count are `None` without
/// values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Quantiles {
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// The smallest.
    pub minimum: Option<f64>,
    /// A quarter of them lies below.
    pub quartile_1: Option<f64>,
    /// Half of them lies below.
    pub median: Option<f64>,
    /// Three quarters of them lie below.
    pub quartile_3: Option<f64>,
    /// Nine tenths of them lie below.
    pub p90: Option<f64>,
    /// All but a hundredth of them lie below.
    pub p99: Option<f64>,
    /// The greatest.
    pub maximum: Option<f64>,
}

/// The difference of two means, with Welch's interval and test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Welch {
    /// The canary's mean less the stable version's, in the unit of the measurement.
    pub difference: f64,
    /// The lower end of its 95 % interval.
    #[serde(default)]
    pub low: Option<f64>,
    /// The upper end of the same interval.
    #[serde(default)]
    pub high: Option<f64>,
    /// Degrees of freedom.
    #[serde(default)]
    pub degrees_of_freedom: Option<f64>,
    /// The chance of a difference that large in either direction if the means are equal, 0 to 1.
    #[serde(default)]
    pub p_value: Option<f64>,
}

/// Whose values tend to be higher, by their ranks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MannWhitney {
    /// Mann and Whitney's U of the canary.
    pub u: f64,
    /// The chance of an order that uneven if nobody's tend to be higher, 0 to 1.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// How probable it is, 0 to 1, that a value of the canary is higher than one of the stable
    /// version; equal ones count half.
    #[serde(default)]
    pub probability_canary_higher: Option<f64>,
}
