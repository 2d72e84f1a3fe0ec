//! Simulations: what another policy would have done.

use serde::{Deserialize, Serialize};

use super::analysis::ReleaseName;
use super::decision::Decision;
use super::policy::Policy;

/// What is to be tried; what is not set is as the release was registered.
///
/// # Examples
///
/// ```no_run
/// use canary_client::{Client, NewSimulation, Policy};
///
/// let client = Client::from_environment()?;
/// let stricter = NewSimulation::default().policy(Policy::default().alpha(0.2)).threshold(99.0);
/// let simulated = client.simulate("0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f", &stricter)?;
/// match simulated.end {
///     Some(end) => println!("{} after {} failed runs", end.sentence, simulated.suffered),
///     None => println!("it would still be a canary"),
/// }
/// # Ok::<(), canary_client::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[must_use]
pub struct NewSimulation {
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary_period: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    band_count: Option<u16>,
}

impl NewSimulation {
    /// Settings of the policy that are to be other ones.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The lowest acceptable success rate in percent, 0 to 100.
    pub fn threshold(mut self, percent: f64) -> Self {
        self.threshold = Some(percent);
        self
    }

    /// How long the canary is on trial, in days, fractions included.
    pub fn canary_period(mut self, days: f64) -> Self {
        self.canary_period = Some(days);
        self
    }

    /// In how many steps it widens, 1 to 100.
    pub fn band_count(mut self, count: u16) -> Self {
        self.band_count = Some(count);
        self
    }
}

/// What would have happened.
///
/// The runs are those that were: what would have become of a canary that stayed longer, or got
/// another share, cannot be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Simulation {
    /// The canary.
    pub release: ReleaseName,
    /// The version that it was compared with.
    #[serde(default)]
    pub stable_version: Option<String>,
    /// With what the runs were gone through.
    pub plan: SimulationPlan,
    /// When the first run arrived, in RFC 3339; `None` without a run.
    #[serde(default)]
    pub from: Option<String>,
    /// When the last run arrived, in RFC 3339; `None` without a run.
    #[serde(default)]
    pub to: Option<String>,
    /// What would have been decided about the canary, in order, without evidence.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// The decision that would have ended its time as a canary; `None` if it would still be one.
    #[serde(default)]
    pub end: Option<Decision>,
    /// Runs of both versions up to that end, with the one that brought it.
    pub runs: u64,
    /// Runs of the canary that would have failed up to that end.
    pub suffered: u64,
    /// All runs of the canary that were gone through, before that end and after.
    pub canary: Runs,
    /// All runs of the stable version that were gone through.
    pub stable: Runs,
    /// The decision that ended its time as a canary in fact; `None` while there is none.
    #[serde(default)]
    pub actual: Option<Decision>,
}

/// With what runs were gone through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SimulationPlan {
    /// The policy in full.
    #[serde(default)]
    pub policy: Policy,
    /// The lowest acceptable success rate, in percent.
    pub threshold: f64,
    /// How long the canary is on trial, in days.
    pub canary_period: f64,
    /// In how many steps it widens.
    pub band_count: u16,
    /// When its first band begins, in RFC 3339.
    pub begins_at: String,
}

/// Runs of one version, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Runs {
    /// Runs that did what they should.
    pub success: u64,
    /// Runs that did not.
    pub failed: u64,
    /// Runs that say nothing about the version.
    pub neutral: u64,
}
