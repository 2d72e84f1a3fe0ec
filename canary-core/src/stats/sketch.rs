//! Any finite numbers, however many different ones: counts of logarithmic bins.
//!
//! The bins are those of DDSketch, [Masson, Rim & Lee 2019]: bin `k` holds the values from
//! `γ^k` to `γ^(k + 1)`, and answers with the one point that is within α of both ends.
//! The mapping is that of the crate `sketches-ddsketch`; counts, times and bytes are our own,
//! because the crate's sketch keeps neither when a bin was last seen nor which is the fullest.
//!
//! It differs from the paper in that bins are never collapsed, so that what is kept does not
//! depend on the order of merging. The price is bounded: all of `f64` has 141 818 bins on either
//! side of 0, of 16 bytes each; values from a millisecond to a day have 1 800.
//!
//! [Masson, Rim & Lee 2019]: https://arxiv.org/abs/1908.10693

pub(super) mod form;

use std::cmp::Ordering;
use std::sync::LazyLock;

use sketches_ddsketch::Config;

use super::Observed;
use super::counts::{Counts, Slot};
use super::distinct::Distinct;
use super::moments::Moments;
use super::rank;

/// How far a bin's answer may be from any of its values, as a part of that value.
pub(super) const ALPHA: f64 = 0.005;

/// The bin of the least magnitude that is not taken as 0: `f64::MIN_POSITIVE`.
const LOWEST_BIN: i32 = -70_840;

/// The greatest key, which is a bin's distance to the lowest one: that of `f64::MAX`.
const HIGHEST_KEY: u32 = 141_817;

/// The number of bins is a limit of the crate's own store, which is not used.
static MAPPING: LazyLock<Config> = LazyLock::new(|| Config::new(ALPHA, 0, f64::MIN_POSITIVE));

/// The side of 0, and the distance from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bin {
    Negative(u32),
    Zero,
    Positive(u32),
}

impl Bin {
    fn of(value: f64) -> Self {
        let magnitude = value.abs();
        if magnitude < f64::MIN_POSITIVE {
            return Self::Zero;
        }
        let bin = MAPPING.key(magnitude).saturating_sub(LOWEST_BIN);
        // Logarithms differ in their last bit between machines.
        let key = bin.clamp(0, HIGHEST_KEY as i32) as u32;
        if value < 0.0 { Self::Negative(key) } else { Self::Positive(key) }
    }

    /// The value it answers with; beyond `f64::MAX` at the very end of the last bin.
    fn value(self) -> f64 {
        let magnitude = |key: u32| MAPPING.value(key as i32 + LOWEST_BIN);
        match self {
            Self::Negative(key) => -magnitude(key),
            Self::Zero => 0.0,
            Self::Positive(key) => magnitude(key),
        }
    }
}

/// Bins, and what is known exactly: both ends and the moments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sketch {
    pub lowest: Observed,
    pub highest: Observed,
    pub moments: Moments,
    pub negative: Counts,
    pub zero: Slot,
    pub positive: Counts,
}

impl Sketch {
    /// Ends without bins: they and the moments are to follow.
    pub(super) fn empty(lowest: Observed, highest: Observed) -> Self {
        Self {
            lowest,
            highest,
            moments: Moments::default(),
            negative: Counts::default(),
            zero: Slot::EMPTY,
            positive: Counts::default(),
        }
    }

    /// Takes over values that were exact so far; nothing if there are none.
    pub(super) fn of(distinct: &Distinct) -> Option<Self> {
        let (lowest, highest) = (distinct.rows().next()?, distinct.rows().next_back()?);
        let mut sketch = Self::empty(lowest.into(), highest.into());
        sketch.moments = Moments::of(distinct.rows());
        for (value, slot) in distinct.rows() {
            sketch.add_to_bin(value, slot);
        }
        Some(sketch)
    }

    /// Adds a finite value that is not −0.
    pub(super) fn add(&mut self, value: f64, slot: Slot) {
        self.widen(Observed { value, newest: slot.newest });
        self.moments.add(value, slot.count);
        self.add_to_bin(value, slot);
    }

    fn add_to_bin(&mut self, value: f64, slot: Slot) {
        match Bin::of(value) {
            Bin::Negative(key) => self.negative.add(key, slot),
            Bin::Zero => self.zero.add(slot),
            Bin::Positive(key) => self.positive.add(key, slot),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.widen(other.lowest);
        self.widen(other.highest);
        self.moments.merge(&other.moments);
        self.negative.merge(&other.negative);
        self.zero.add(other.zero);
        self.positive.merge(&other.positive);
    }

    /// Takes a value into account for both ends.
    pub(super) fn widen(&mut self, observed: Observed) {
        self.lowest = match observed.value.total_cmp(&self.lowest.value) {
            Ordering::Less => observed,
            Ordering::Equal => self.lowest.or_newer(observed),
            Ordering::Greater => self.lowest,
        };
        self.highest = match observed.value.total_cmp(&self.highest.value) {
            Ordering::Less => self.highest,
            Ordering::Equal => self.highest.or_newer(observed),
            Ordering::Greater => observed,
        };
    }

    /// The bins that were seen, ascending by their values.
    fn rows(&self) -> impl Iterator<Item = (Bin, Slot)> {
        let negative = self.negative.rows().rev().map(|(key, slot)| (Bin::Negative(key), slot));
        let positive = self.positive.rows().map(|(key, slot)| (Bin::Positive(key), slot));
        negative.chain([(Bin::Zero, self.zero)]).chain(positive)
    }

    /// The values that the bins answer with, ascending.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, Slot)> {
        self.rows().map(|(bin, slot)| (self.value(bin), slot))
    }

    /// A bin's value, which is never beyond what was seen.
    fn value(&self, bin: Bin) -> f64 {
        bin.value().max(self.lowest.value).min(self.highest.value)
    }

    /// The value of this place in ascending order, counted from 0; both ends are exact.
    pub(super) fn nth(&self, place: u64) -> Option<Observed> {
        if place == 0 {
            return Some(self.lowest);
        }
        if place >= self.moments.count.saturating_sub(1) {
            return Some(self.highest);
        }
        let (bin, slot) = rank::nth(self.rows(), place)?;
        Some(Observed { value: self.value(bin), newest: slot.newest })
    }

    pub(super) fn mode(&self) -> Option<f64> {
        rank::fullest(self.rows()).map(|bin| self.value(bin))
    }

    pub(super) fn mean(&self) -> f64 {
        self.moments.mean.max(self.lowest.value).min(self.highest.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_run_from_the_least_normal_number_to_the_greatest() {
        assert_eq!(MAPPING.key(f64::MIN_POSITIVE), LOWEST_BIN);
        assert_eq!(Bin::of(-f64::MIN_POSITIVE), Bin::Negative(0));
        assert_eq!(MAPPING.key(f64::MAX) - LOWEST_BIN, HIGHEST_KEY as i32);
        assert_eq!(Bin::of(f64::MAX), Bin::Positive(HIGHEST_KEY));
        assert_eq!(Bin::of(f64::MIN_POSITIVE / 2.0), Bin::Zero);
    }

    #[test]
    fn every_bin_answers_within_its_error() {
        for exponent in -300..300 {
            let value = 1.2345 * 10_f64.powi(exponent);
            let got = Bin::of(value).value();
            assert!((got / value - 1.0).abs() <= ALPHA * (1.0 + 1e-9), "{got} for {value}");
            assert_eq!(Bin::of(-value).value().to_bits(), (-got).to_bits());
        }
    }
}
