//! Releases: one version of a product, and what became of it.

use std::time::Duration;

use crate::policy::Policy;
use crate::product::ProductId;
use crate::time::Timestamp;
use crate::value::{ValueError, check_range, checked_id};
use crate::version::Version;

checked_id!(
    /// Identifies a release.
    ReleaseId,
    "release id"
);

/// Lowest acceptable success rate of a release, in percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Threshold(f64);

impl Threshold {
    /// What applies when a team sets nothing.
    pub const DEFAULT: Self = Self(80.0);

    /// Checks a success rate in percent.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not a number from 0 to 100.
    pub fn parse(percent: f64) -> Result<Self, ValueError> {
        check_range("threshold", percent, 0.0, 100.0, " %").map(Self)
    }

    /// The lowest acceptable success rate, in percent.
    #[must_use]
    pub const fn percent(self) -> f64 {
        self.0
    }

    /// The highest acceptable failure rate, from 0 to 1.
    #[must_use]
    pub fn failure_rate(self) -> f64 {
        // Dividing last keeps 80 % at exactly 0.2.
        (100.0 - self.0) / 100.0
    }

    /// Whether `succeeded` of `runs` is at or above the threshold; nothing is below it.
    #[must_use]
    pub fn is_met_by(self, succeeded: u64, runs: u64) -> bool {
        succeeded as f64 * 100.0 >= self.0 * runs as f64
    }
}

/// How long a canary is watched, in days; fractions are fine.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct CanaryPeriod(f64);

impl CanaryPeriod {
    /// What applies when a team sets nothing: two days.
    pub const DEFAULT: Self = Self(2.0);
    /// Shortest period in days: about 86 ms, for demonstrations.
    pub const MINIMUM_DAYS: f64 = 0.000_001;
    /// Longest period in days: about ten years.
    pub const MAXIMUM_DAYS: f64 = 3650.0;

    /// Checks a number of days.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not a number from 0.000001 to 3650.
    pub fn parse(days: f64) -> Result<Self, ValueError> {
        check_range("canary_period", days, Self::MINIMUM_DAYS, Self::MAXIMUM_DAYS, " days")
            .map(Self)
    }

    /// The period in days.
    #[must_use]
    pub const fn days(self) -> f64 {
        self.0
    }

    /// The period to the microsecond.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0 * 86_400.0)
    }
}

/// In how many steps a canary widens, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BandCount(u16);

impl BandCount {
    /// What applies when a team sets nothing: five bands, 20 to 100 %.
    pub const DEFAULT: Self = Self(5);
    /// Most bands.
    pub const MAXIMUM: u16 = 100;

    /// Checks a number of bands.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not from 1 to 100.
    pub fn parse(count: i64) -> Result<Self, ValueError> {
        let checked =
            check_range("band_count", count as f64, 1.0, f64::from(Self::MAXIMUM), " bands")?;
        // The range check has made this exact.
        Ok(Self(checked as u16))
    }

    /// The number of bands.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Registered as the version that everybody gets.
    Stable,
    /// A canary that is handed out and judged.
    Running,
    /// A canary that is not handed out until somebody resumes it.
    Paused,
    /// A canary that became the version that everybody gets.
    Promoted,
    /// A canary that was taken back.
    RolledBack,
    /// A canary that a newer release replaced before a verdict.
    Superseded,
    /// No longer handed out, or never: replaced by another stable version, or registered inactive.
    Retired,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Stable,
        Self::Running,
        Self::Paused,
        Self::Promoted,
        Self::RolledBack,
        Self::Superseded,
        Self::Retired,
    ];

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
            Self::Superseded => "superseded",
            Self::Retired => "retired",
        }
    }

    /// Reads the word of the contract.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the release is a canary on its way.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// Whether the release is what everybody gets.
    #[must_use]
    pub const fn is_stable(self) -> bool {
        matches!(self, Self::Stable | Self::Promoted)
    }
}

/// One version of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its identifier.
    pub id: ReleaseId,
    /// The product it is a version of.
    pub product: ProductId,
    /// The version, to the letter.
    pub version: Version,
    /// What became of it.
    pub state: State,
    /// Whether it was registered as a canary and has not been promoted.
    pub is_canary: bool,
    /// Lowest acceptable success rate.
    pub threshold: Threshold,
    /// How long it is watched as a canary.
    pub canary_period: CanaryPeriod,
    /// In how many steps it widens.
    pub band_count: BandCount,
    /// When its first band begins.
    pub release_date: Timestamp,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// How it is judged.
    pub policy: Policy,
}

impl Release {
    /// Whether the release is handed out.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.state.is_open() || self.state.is_stable()
    }
}
