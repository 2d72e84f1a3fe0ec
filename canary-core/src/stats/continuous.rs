//! Any finite numbers: kept one by one while few are different, and in bins from then on.
//!
//! Which of the two depends on the number of different values alone, and never goes back, so that
//! parts merged in any order end in the same state.

use super::Observed;
use super::counts::Slot;
use super::distinct::Distinct;
use super::moments::Moments;
use super::rank;
use super::sketch::Sketch;
use super::sketch::form::SketchForm;
use super::table::Rows;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Continuous {
    Exact(Distinct),
    Sketched(Box<Sketch>),
}

impl Continuous {
    pub(super) fn new() -> Self {
        Self::Exact(Distinct::default())
    }

    /// Adds a finite value.
    pub(super) fn add(&mut self, value: f64, slot: Slot) {
        self.add_all([(value, slot)].into_iter());
    }

    /// Adds finite values in ascending order.
    fn add_all(&mut self, rows: impl Iterator<Item = (f64, Slot)>) {
        let mut place = 0;
        for (value, slot) in rows {
            // −0 becomes 0, everything else stays.
            let value = value + 0.0;
            match self {
                Self::Sketched(sketch) => sketch.add(value, slot),
                Self::Exact(distinct) => {
                    place = distinct.add(place, value, slot);
                    if distinct.len() > Distinct::MOST {
                        self.sketch();
                    }
                }
            }
        }
    }

    /// Goes over to bins; nothing changes while there is no value.
    fn sketch(&mut self) -> Option<&mut Sketch> {
        if let Self::Exact(distinct) = self {
            *self = Self::Sketched(Box::new(Sketch::of(distinct)?));
        }
        match self {
            Self::Exact(_) => None,
            Self::Sketched(sketch) => Some(sketch),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match other {
            Self::Exact(distinct) => self.add_all(distinct.rows()),
            Self::Sketched(other) => match self.sketch() {
                Some(sketch) => sketch.merge(other),
                None => *self = Self::Sketched(other.clone()),
            },
        }
    }

    /// Adds the rows of a byte form, whose keys were checked.
    pub(super) fn merge_rows(&mut self, rows: Rows<'_>) {
        self.add_all(rows.map(|(key, slot)| (value_of(key), slot)));
    }

    /// Adds a byte form of bins.
    pub(super) fn merge_form(&mut self, form: &SketchForm<'_>) {
        match self.sketch() {
            Some(sketch) => form.merge_into(sketch),
            None => *self = Self::Sketched(Box::new(form.to_sketch())),
        }
    }

    pub(super) fn total(&self) -> u64 {
        match self {
            Self::Exact(distinct) => distinct.total(),
            Self::Sketched(sketch) => sketch.moments.count,
        }
    }

    pub(super) fn lowest(&self) -> Option<Observed> {
        match self {
            Self::Exact(distinct) => distinct.rows().next().map(Observed::from),
            Self::Sketched(sketch) => Some(sketch.lowest),
        }
    }

    pub(super) fn highest(&self) -> Option<Observed> {
        match self {
            Self::Exact(distinct) => distinct.rows().next_back().map(Observed::from),
            Self::Sketched(sketch) => Some(sketch.highest),
        }
    }

    pub(super) fn nth(&self, place: u64) -> Option<Observed> {
        match self {
            Self::Exact(distinct) => rank::nth(distinct.rows(), place).map(Observed::from),
            Self::Sketched(sketch) => sketch.nth(place),
        }
    }

    pub(super) fn mode(&self) -> Option<f64> {
        match self {
            Self::Exact(distinct) => rank::fullest(distinct.rows()),
            Self::Sketched(sketch) => sketch.mode(),
        }
    }

    /// At least one value was seen.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Exact(distinct) => Moments::of(distinct.rows()).mean,
            Self::Sketched(sketch) => sketch.mean(),
        }
    }

    pub(super) fn variance(&self) -> Option<f64> {
        match self {
            Self::Exact(distinct) => Moments::of(distinct.rows()).variance(),
            Self::Sketched(sketch) => sketch.moments.variance(),
        }
    }
}

/// The key of 0: below it are the negative numbers.
const ZERO: u64 = u64::MAX >> 1;

/// A whole number that is ordered as the float is; −0 has that of 0.
pub(super) const fn key_of(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits <= ZERO { ZERO + bits } else { !bits }
}

/// The float of such a number, finite from `key_of(f64::MIN)` to `key_of(f64::MAX)`.
pub(super) const fn value_of(key: u64) -> f64 {
    f64::from_bits(if key >= ZERO { key - ZERO } else { !key })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_ordered_as_floats_are(one in -1e308..1e308, other: f64) {
            prop_assume!(other.is_finite());
            prop_assert_eq!(key_of(one) < key_of(other), one < other);
            prop_assert_eq!(value_of(key_of(other)).to_bits(), (other + 0.0).to_bits());
        }
    }

    #[test]
    fn zero_has_one_key() {
        assert_eq!(key_of(-0.0), key_of(0.0));
        assert!(value_of(key_of(-0.0)).is_sign_positive());
        assert_eq!(key_of(-f64::from_bits(1)) + 1, key_of(0.0));
    }
}
