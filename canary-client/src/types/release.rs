//! Releases, and what an instance is told to run.

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use super::policy::Policy;
use super::product::Product;

/// Which version to run, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Latest {
    /// The release's identifier, a UUID.
    pub id: String,
    /// The version, to the letter.
    pub semver_version: String,
    /// The product it is a version of.
    pub product: Product,
    /// Whether it is a canary on trial.
    pub is_canary: bool,
    /// The canary's band, from 1; `None` without a running canary, 0 before its start.
    #[serde(default)]
    pub band: Option<u16>,
    /// Why this one: `only_stable`, `only_canary`, `canary_share`, `stable_share`,
    /// `first_canary_run`, `first_stable_run`, `paused`, `rolled_back` or `promoted`.
    pub reason: String,
}

/// A release to register; what is not set is left to the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use]
pub struct NewRelease {
    artifact_url: String,
    semver_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_canary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary_period: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    band_count: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
}

impl NewRelease {
    /// A version of the product whose builds are found at `artifact_url`.
    pub fn new(artifact_url: impl Into<String>, semver_version: impl Into<String>) -> Self {
        Self {
            artifact_url: artifact_url.into(),
            semver_version: semver_version.into(),
            is_canary: None,
            is_active: None,
            threshold: None,
            canary_period: None,
            band_count: None,
            release_date: None,
            policy: None,
        }
    }

    /// Whether it goes on trial (the default) or is for everybody at once.
    pub fn is_canary(mut self, is_canary: bool) -> Self {
        self.is_canary = Some(is_canary);
        self
    }

    /// Whether it is handed out at all; yes is the default.
    pub fn is_active(mut self, is_active: bool) -> Self {
        self.is_active = Some(is_active);
        self
    }

    /// The lowest acceptable success rate in percent, 0 to 100; 80 is the default.
    pub fn threshold(mut self, percent: f64) -> Self {
        self.threshold = Some(percent);
        self
    }

    /// How long it is on trial, in days, fractions included; 2 is the default.
    pub fn canary_period(mut self, days: f64) -> Self {
        self.canary_period = Some(days);
        self
    }

    /// In how many steps it widens, 1 to 100; 5 is the default.
    pub fn band_count(mut self, count: u16) -> Self {
        self.band_count = Some(count);
        self
    }

    /// When the first band begins, in RFC 3339; now is the default.
    pub fn release_date(mut self, release_date: impl Into<String>) -> Self {
        self.release_date = Some(release_date.into());
        self
    }

    /// How it is judged; what is not set in it is as the product's policy says.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }
}

/// A release, where it stands, and what its runs showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Release {
    /// Its identifier, a UUID.
    pub id: String,
    /// The product it is a version of.
    pub product: Product,
    /// The version, to the letter.
    pub semver_version: String,
    /// Whether it is on trial.
    pub is_canary: bool,
    /// Whether it is handed out.
    pub is_active: bool,
    /// `stable`, `running`, `paused`, `promoted`, `rolled_back`, `superseded` or `retired`.
    pub state: String,
    /// The lowest acceptable success rate in percent, 0 to 100.
    pub threshold: f64,
    /// How long it is on trial, in days.
    pub canary_period: f64,
    /// In how many steps it widens.
    pub band_count: u16,
    /// When its first band begins, in RFC 3339.
    pub release_date: String,
    /// How it is judged, in full.
    #[serde(default)]
    pub policy: Policy,
    /// Its present band, from 1; 0 before the first, `None` when it is not on trial.
    #[serde(default)]
    pub band: Option<u16>,
    /// The part of the runs or instances that gets it, 0 to 1.
    #[serde(default)]
    pub share: Option<f64>,
    /// When it widens next, in RFC 3339.
    #[serde(default)]
    pub next_band_at: Option<String>,
    /// Its signals.
    #[serde(default)]
    pub signals: Counts,
    /// Answers that were handed out and not reported in time.
    #[serde(default)]
    pub unreported: Unreported,
    /// Its bands, the first one first.
    #[serde(default)]
    pub bands: Vec<Band>,
    /// The decision that ended its trial.
    #[serde(default)]
    pub verdict: Option<Decision>,
}

impl Release {
    /// Whether it is a canary on its way, running or paused.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused")
    }
}

/// How many signals of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counts {
    /// Runs that did what they should.
    pub success: u64,
    /// Runs that did not.
    pub failed: u64,
    /// Runs that say nothing about the version.
    pub neutral: u64,
    /// All of them.
    pub total: u64,
}

/// Answers that were handed out and not reported in time: within
/// [`Policy::report_within`], or within a minute where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Unreported {
    /// Of the canary.
    pub canary: u64,
    /// Of the stable version.
    pub stable: u64,
    /// Whether they count as failed runs.
    pub is_failed: bool,
}

/// One step of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Band {
    /// Its place, from 1.
    pub number: u16,
    /// The part of the runs or instances that gets the canary in it, 0 to 1.
    pub share: f64,
    /// When it begins, in RFC 3339.
    #[serde(default)]
    pub starts_at: Option<String>,
    /// The canary's runs in it.
    #[serde(default)]
    pub canary: Arm,
    /// The stable version's runs in it.
    #[serde(default)]
    pub stable: Arm,
}

/// The judged runs of one of the two versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Arm {
    /// Runs that did what they should.
    pub success: u64,
    /// Runs that did not.
    pub failed: u64,
}

impl Arm {
    /// All judged runs.
    #[must_use]
    pub fn runs(self) -> u64 {
        self.success.saturating_add(self.failed)
    }
}
