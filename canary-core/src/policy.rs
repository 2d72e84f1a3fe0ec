//! Policies: how a canary is judged, and what follows when there is nothing to judge by.

mod settings;
mod words;

use std::collections::BTreeMap;

pub use self::settings::{PolicyError, Settings};
pub use self::words::{AtEnd, OnInsufficient, OnSupersede, ThresholdRule};
use crate::judge::measurement::Direction;
use crate::judge::promotion::Promotion;
use crate::judge::sequential::Alpha;
use crate::reading::TypeName;
use crate::signal::MeasurementName;
use crate::value::{ValueError, check_range};

/// How many judged signals of the canary make a verdict at the end of its period, 0 to 1 000 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSignals(u32);

impl MinSignals {
    /// Most signals that can be asked for.
    pub const MAXIMUM: u32 = 1_000_000;

    /// Checks a number of signals.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not from 0 to 1 000 000.
    pub fn parse(count: i64) -> Result<Self, ValueError> {
        let checked =
            check_range("min_signals", count as f64, 0.0, f64::from(Self::MAXIMUM), " signals")?;
        // The range check has made this exact.
        Ok(Self(checked as u32))
    }

    /// The number of signals.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for MinSignals {
    fn default() -> Self {
        Self(1)
    }
}

/// The share of the runs that stays with the stable version until the verdict, 0 to 0.9.
///
/// Where everybody gets the canary there is nothing to compare it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HoldBack(u16);

impl HoldBack {
    /// Most that can be held back.
    pub const MAXIMUM: f64 = 0.9;
    /// It is kept in parts of this many.
    pub(crate) const PARTS: u16 = 10_000;

    /// Checks a share; it is kept to four digits.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not a number from 0 to 0.9.
    pub fn parse(share: f64) -> Result<Self, ValueError> {
        let share = check_range("holdback", share, 0.0, Self::MAXIMUM, "")?;
        Ok(Self((share * f64::from(Self::PARTS)).round() as u16))
    }

    /// The share, from 0 to 0.9.
    #[must_use]
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(Self::PARTS)
    }

    /// What is left for the canary, in parts of [`Self::PARTS`].
    pub(crate) const fn rest(self) -> u16 {
        Self::PARTS - self.0
    }
}

/// Within how many seconds an instance must report the run it was given a version for, 1 s to 30
/// days.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct ReportWithin(f64);

impl ReportWithin {
    /// The longest time, in seconds: 30 days.
    pub const MAXIMUM_S: f64 = 30.0 * 86_400.0;

    /// Checks a number of seconds.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not from 1 to 2 592 000.
    pub fn parse(seconds: f64) -> Result<Self, ValueError> {
        check_range("report_within", seconds, 1.0, Self::MAXIMUM_S, " s").map(Self)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        self.0
    }
}

/// The chance of rolling a good canary back, over its whole life, and who gets which part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chances {
    total: f64,
    floor: Option<f64>,
    measurements: Option<f64>,
    /// Whether the threshold has a test that takes a part: [`ThresholdRule::Ratio`] has none.
    has_floor: bool,
}

impl Chances {
    /// The chance in all when a team sets nothing.
    pub const TOTAL: f64 = 0.05;

    /// The chance in all: `alpha`, 1e-9 to 0.5.
    #[must_use]
    pub const fn total(&self) -> f64 {
        self.total
    }

    /// The part of the floor: `alpha_floor`, 0 for no floor; a fifth of the total when it is not set.
    ///
    /// [`ThresholdRule::Ratio`] takes nothing: there it is 0 when it is not set. A part that is set
    /// is kept from the other rules all the same, so that all of it leaves the plain percentage
    /// alone.
    #[must_use]
    pub fn floor(&self) -> f64 {
        let unset = if self.has_floor { self.total / 5.0 } else { 0.0 };
        self.floor.unwrap_or(unset)
    }

    /// The part of measurements and readings: `alpha_measurements`; half of what the floor leaves
    /// when it is not set, which is half of the total where there is no floor.
    #[must_use]
    pub fn measurements(&self) -> f64 {
        self.measurements.unwrap_or((self.total - self.floor()) / 2.0)
    }
}

impl Default for Chances {
    fn default() -> Self {
        Self { total: Self::TOTAL, floor: None, measurements: None, has_floor: true }
    }
}

/// At which chance of a false alarm each rule speaks; `None` for a rule that is off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alphas {
    /// The [floor](crate::judge::floor); `None` with [`ThresholdRule::Ratio`], too.
    pub floor: Option<Alpha>,
    /// The comparison with the [baseline](crate::judge::blocks).
    pub baseline: Option<Alpha>,
    /// Each of the [measurements](crate::judge::measurement) and types of readings.
    pub measurement: Option<Alpha>,
}

/// How a canary is judged; the defaults suit a team that sets nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The rule for the threshold.
    pub rule: ThresholdRule,
    /// The chance of a false rollback, and who gets which part of it.
    pub chances: Chances,
    /// The highest ratio of the canary's odds of failing to those of the stable version that is
    /// fine, 0.01 to 100; 1 is "not worse".
    pub rho0: f64,
    /// Whether a canary that is proven good becomes stable before its period is over.
    pub early_promotion: bool,
    /// The ratio of the odds of failing that must not be promoted early, 1.5 to 100.
    pub rho: f64,
    /// The failure rate that the operator calls acceptable, above 0 and below 1; none by default.
    pub q: Option<f64>,
    /// The chance of calling a canary proven good that is not, 1e-9 to 0.5.
    pub beta: Alpha,
    /// The share of the runs that stays with the stable version until the verdict.
    pub holdback: HoldBack,
    /// Judged signals of the canary that make a verdict at the end of its period.
    pub min_signals: MinSignals,
    /// What follows at the end of the period when nothing speaks against the canary and it is not
    /// proven good.
    pub at_end: AtEnd,
    /// What follows when there are fewer signals than that.
    pub on_insufficient: OnInsufficient,
    /// What a newer release does to this one while it runs.
    pub on_supersede: OnSupersede,
    /// Within which time a run must be reported, else it counts as failed; never by default.
    pub report_within: Option<ReportWithin>,
    /// Whether every run of one instance counts, and not only its first in a block; set it where
    /// the runs of one instance are independent of each other.
    pub count_repeats: bool,
    /// Measurements on signals that are compared, at most 16, and which of their values are bad.
    pub measurements: BTreeMap<MeasurementName, Direction>,
    /// Types of readings that are compared, at most 16, and which of their values are bad.
    pub readings: BTreeMap<TypeName, Direction>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rule: ThresholdRule::default(),
            chances: Chances::default(),
            rho0: 1.0,
            early_promotion: false,
            rho: Promotion::RHO,
            q: None,
            beta: Alpha::PROMOTION,
            holdback: HoldBack::default(),
            min_signals: MinSignals::default(),
            at_end: AtEnd::default(),
            on_insufficient: OnInsufficient::default(),
            on_supersede: OnSupersede::default(),
            report_within: None,
            count_repeats: false,
            measurements: BTreeMap::new(),
            readings: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// How many measurements and types of readings are judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.measurements.len() + self.readings.len()
    }

    /// Who speaks at which chance of a false alarm; together they are at most `alpha`.
    ///
    /// The comparison with the baseline gets what the floor and the measurements leave.
    #[must_use]
    pub fn alphas(&self) -> Alphas {
        let Chances { total, .. } = self.chances;
        let floor = self.chances.floor();
        let measurements = if self.judged() > 0 { self.chances.measurements() } else { 0.0 };
        let some = |part: f64| Alpha::part_of(total, part);
        Alphas {
            floor: some(floor).filter(|_| self.rule == ThresholdRule::Threshold),
            baseline: some(total - floor - measurements),
            measurement: some(measurements).map(|part| part.shared_by(self.judged())),
        }
    }

    /// Whether it matters to this policy if a canary is proven good.
    #[must_use]
    pub fn asks_for_proof(&self) -> bool {
        self.early_promotion || self.at_end != AtEnd::Promote
    }
}

#[cfg(test)]
mod tests;
