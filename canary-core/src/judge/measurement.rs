//! Is what the runs measure worse than the baseline's? Latency, memory, any number.
//!
//! # Formula
//!
//! Before the canary starts, three thresholds are fixed: values that a half, a tenth and a hundredth
//! of the baseline's runs are beyond. Whether a run is beyond one of them is a yes or no that needs
//! no assumption on the distribution, and goes through the [blocks](super::blocks) as a failure
//! does, with odds ratios and equal weights of its own:
//!
//! ```text
//! o = (1.15, 1.4, 2, 4, 15)
//! E = 0.9 · (E_half + E_tenth + E_hundredth) / 3 + 0.1 · E_missing
//! ```
//!
//! That a run has no finite value is a yes or no of its own, with a tenth of the weight: a canary
//! that stops reporting its latency is found too. The thresholds are then compared among the runs
//! that have a value.
//!
//! All indicators share the blocks of the runs, so their factors come at the same time and their
//! mixture is sound: the chance that `E` ever reaches `1 / alpha` is at most `alpha` while the odds
//! of being beyond each threshold, and of having no value, are at most the baseline's.
//! Thresholds need not be exact: a bad guess costs power, never the promise.
//!
//! Several measurements of one canary share one chance of a false alarm:
//! [`Alpha::shared_by`](super::sequential::Alpha::shared_by).
//!
//! # What it does not promise
//!
//! A change that leaves the three thresholds alone is not seen. For people, not for a verdict,
//! [`compare`](super::compare) has means, ranks and quantiles.

pub mod codec;
pub mod watched;

use super::blocks::open::{Block, Runs};
use super::blocks::sums::Sums;
use super::sequential::{Alpha, OtherParameters, Reading, log_mixture};
use crate::rollout::Arm;
use crate::stats::Summary;
use crate::value::ValueError;

/// The odds ratios under which the indicators are weighed.
pub const ODDS: [f64; 5] = [1.15, 1.4, 2.0, 4.0, 15.0];

/// The weights of [`ODDS`].
pub const WEIGHTS: [f64; 5] = [0.2; 5];

/// The weight of the three thresholds together, and that of missing values.
const SHARES: (f64, f64) = (0.9, 0.1);

/// Which values are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// High ones: a latency.
    HighIsBad,
    /// Low ones: a throughput.
    LowIsBad,
}

impl Direction {
    /// The ranks of the baseline's values that make good thresholds, 0 to 1.
    #[must_use]
    pub const fn ranks(self) -> [f64; 3] {
        match self {
            Self::HighIsBad => [0.5, 0.9, 0.99],
            Self::LowIsBad => [0.5, 0.1, 0.01],
        }
    }

    /// How many of a hundred of the baseline's values are beyond each of those, at most.
    #[must_use]
    pub fn percents(self) -> [f64; 3] {
        self.ranks().map(|rank| {
            let beyond = match self {
                Self::HighIsBad => 1.0 - rank,
                Self::LowIsBad => rank,
            };
            (beyond * 1e6).round() / 1e4
        })
    }
}

/// What is compared, fixed before the canary starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    direction: Direction,
    limits: [f64; 3],
}

impl Thresholds {
    /// Checks three values, in the unit of what is measured and in any order; some may be equal.
    ///
    /// # Errors
    ///
    /// [`ValueError::NotFinite`] for NaN and infinities.
    pub fn new(direction: Direction, limits: [f64; 3]) -> Result<Self, ValueError> {
        match limits.into_iter().find(|limit| !limit.is_finite()) {
            Some(value) => Err(ValueError::NotFinite { what: "threshold".to_owned(), value }),
            None => Ok(Self { direction, limits }),
        }
    }

    /// Those of the baseline's values; `None` if there are none.
    #[must_use]
    pub fn of(direction: Direction, baseline: &Summary) -> Option<Self> {
        let [half, tenth, hundredth] =
            direction.ranks().map(|rank| baseline.quantile(rank).ok()?);
        Self::new(direction, [half?, tenth?, hundredth?]).ok()
    }

    /// Which values are bad.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The three values.
    #[must_use]
    pub const fn limits(&self) -> [f64; 3] {
        self.limits
    }

    /// Whether a value is beyond each of them.
    fn exceeded_by(&self, value: f64) -> [bool; 3] {
        self.limits.map(|limit| match self.direction {
            Direction::HighIsBad => value > limit,
            Direction::LowIsBad => value < limit,
        })
    }
}

/// What the runs of one arm have measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Runs with a finite value.
    pub present: u64,
    /// Runs without one.
    pub missing: u64,
    /// Runs beyond each threshold.
    pub beyond: [u64; 3],
}

impl Measured {
    fn plus(&self, other: &Self) -> Self {
        let mut sum = *self;
        sum.present = sum.present.saturating_add(other.present);
        sum.missing = sum.missing.saturating_add(other.missing);
        for (count, other) in sum.beyond.iter_mut().zip(other.beyond) {
            *count = count.saturating_add(other);
        }
        sum
    }

    fn add(&mut self, beyond: Option<[bool; 3]>) {
        let Some(beyond) = beyond else {
            self.missing = self.missing.saturating_add(1);
            return;
        };
        self.present = self.present.saturating_add(1);
        for (count, is_beyond) in self.beyond.iter_mut().zip(beyond) {
            *count += u64::from(is_beyond);
        }
    }

    /// The runs as each indicator sees them: the three thresholds, then what is missing.
    fn indicators(&self) -> [Runs; 4] {
        let [half, tenth, hundredth] =
            self.beyond.map(|failed| Runs { runs: self.present, failed });
        [half, tenth, hundredth, Runs { runs: self.runs(), failed: self.missing }]
    }

    /// All runs.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.present.saturating_add(self.missing)
    }
}

/// The comparison of one measurement, signal by signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    thresholds: Thresholds,
    canary: Measured,
    baseline: Measured,
    /// The same in the blocks that have ended.
    ended: Arms,
    sums: [Sums<5>; 4],
    max_log_e: f64,
}

/// What both arms have measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arms {
    /// The canary.
    pub canary: Measured,
    /// The version it is compared with.
    pub baseline: Measured,
}

impl Measurement {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            canary: Measured::default(),
            baseline: Measured::default(),
            ended: Arms::default(),
            sums: [Sums::default(); 4],
            max_log_e: 0.0,
        }
    }

    /// What is compared.
    #[must_use]
    pub const fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// What was measured by all runs that count.
    #[must_use]
    pub fn measured(&self) -> Arms {
        Arms {
            canary: self.ended.canary.plus(&self.canary),
            baseline: self.ended.baseline.plus(&self.baseline),
        }
    }

    /// The sums of each odds ratio of [`ODDS`]: for the three thresholds, then for what is missing.
    #[must_use]
    pub fn logs(&self) -> [[f64; 5]; 4] {
        self.sums.map(|sums| sums.logs())
    }

    /// Takes in what one run has measured, in the unit of the thresholds; nothing if it has not.
    ///
    /// Only runs that [count](super::blocks::open::Step::is_counted) in the open block; NaN and
    /// infinities are missing.
    pub fn observe(&mut self, arm: Arm, value: Option<f64>) {
        let value = value.filter(|value| value.is_finite());
        let beyond = value.map(|value| self.thresholds.exceeded_by(value));
        match arm {
            Arm::Canary => self.canary.add(beyond),
            Arm::Stable => self.baseline.add(beyond),
        }
    }

    /// Ends the open block; to be called whenever that of the runs has ended, closed or dropped.
    pub fn close(&mut self) {
        let canary = std::mem::take(&mut self.canary);
        let baseline = std::mem::take(&mut self.baseline);
        if canary.runs() > 0 && baseline.runs() > 0 {
            self.ended.canary = self.ended.canary.plus(&canary);
            self.ended.baseline = self.ended.baseline.plus(&baseline);
        }
        let (canary, baseline) = (canary.indicators(), baseline.indicators());
        let mut has_spoken = false;
        for (sums, (canary, baseline)) in self.sums.iter_mut().zip(canary.into_iter().zip(baseline))
        {
            has_spoken |= sums.add(&Block { canary, baseline }, &ODDS, 1.0);
        }
        // Most blocks set no record, and a bound that costs little shows it.
        let bound = self.sums.iter().map(Sums::bound).fold(f64::NEG_INFINITY, f64::max);
        if has_spoken && bound > self.max_log_e {
            self.max_log_e = self.max_log_e.max(self.log_e());
        }
    }

    /// Adds the closed blocks of another part: exact, the same to the bit in every order.
    ///
    /// The next block that closes is the next look; the highest evidence of the other part does
    /// not count, and its open block stays with who fills it.
    ///
    /// # Errors
    ///
    /// [`OtherParameters`] if they have other thresholds; nothing has changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherParameters> {
        if self.thresholds != other.thresholds {
            return Err(OtherParameters);
        }
        for (own, other) in self.sums.iter_mut().zip(&other.sums) {
            own.merge(other);
        }
        self.ended.canary = self.ended.canary.plus(&other.ended.canary);
        self.ended.baseline = self.ended.baseline.plus(&other.ended.baseline);
        Ok(())
    }

    /// `ln E` of all closed blocks; 0 while there is no evidence.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let [half, tenth, hundredth, missing] = self.sums.map(|sums| sums.log_e(&WEIGHTS));
        let (each, last) = (SHARES.0 / 3.0, SHARES.1);
        let terms = [(each, half), (each, tenth), (each, hundredth), (last, missing)];
        log_mixture(terms.into_iter())
    }

    /// The highest evidence at any look, `ln E`, at least 0.
    #[must_use]
    pub const fn max_log_e(&self) -> f64 {
        self.max_log_e
    }

    /// What was found so far.
    #[must_use]
    pub fn reading(&self, alpha: Alpha) -> Reading {
        Reading::of(self.log_e(), self.max_log_e, alpha)
    }
}

#[cfg(test)]
mod tests;
