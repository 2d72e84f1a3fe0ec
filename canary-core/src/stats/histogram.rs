//! How values are spread, in bins of equal width.

use super::continuous::Continuous;
use super::counts::Slot;
use super::{State, Summary, rank};

/// How many values lie in a stretch of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The smallest value that is counted here.
    pub minimum: f64,
    /// Of whole numbers that are counted one by one the greatest value that is counted here; else
    /// where the next bin begins, and the last bin holds it as well.
    pub maximum: f64,
    /// How many.
    pub count: u64,
}

impl Summary {
    /// Counts values by bins of equal width that reach from the smallest to the greatest value.
    ///
    /// Of whole numbers that are counted one by one each bin holds whole numbers alone: there are
    /// never more bins than numbers, the width is rounded up, and the last bin ends with the
    /// greatest value.
    /// Once values are in the bins of a sketch, those near an edge may be counted beside it.
    /// Empty if nothing was seen yet, or `bins` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use canary_core::stats::{Bin, Domain, Summary};
    ///
    /// let mut temperatures = Summary::new(Domain::of_integers(0, 100));
    /// for celsius in [22.0, 100.0, 22.0, 50.0] {
    ///     temperatures.observe(celsius, 0)?;
    /// }
    /// let histogram = temperatures.histogram(2);
    /// assert_eq!(histogram[0], Bin { minimum: 22.0, maximum: 61.0, count: 3 });
    /// assert_eq!(histogram[1], Bin { minimum: 62.0, maximum: 100.0, count: 1 });
    /// # Ok::<(), canary_core::stats::StatError>(())
    /// ```
    #[must_use]
    pub fn histogram(&self, bins: u16) -> Vec<Bin> {
        let (Some(min), Some(max)) = (self.min(), self.max()) else { return Vec::new() };
        if bins == 0 {
            return Vec::new();
        }
        let (min, max) = (min.value, max.value);
        match &self.state {
            State::Counted(counted) => fill(whole_bins(min, max, bins), counted.rows()),
            State::Continuous(Continuous::Exact(distinct)) => {
                fill(even_bins(min, max, bins), distinct.rows())
            }
            State::Continuous(Continuous::Sketched(sketch)) => {
                fill(even_bins(min, max, bins), sketch.points())
            }
        }
    }
}

/// Both ends are whole and at most 65 536 apart.
fn whole_bins(min: f64, max: f64, bins: u16) -> Vec<Bin> {
    let width = ((max - min + 1.0) / f64::from(bins)).ceil();
    let starts = (0..bins).map(|place| min + f64::from(place) * width);
    let starts = starts.take_while(|start| *start <= max);
    starts
        .map(|start| Bin { minimum: start, maximum: (start + width - 1.0).min(max), count: 0 })
        .collect()
}

fn even_bins(min: f64, max: f64, bins: u16) -> Vec<Bin> {
    let edge = |place: u16| rank::between(min, max, f64::from(place) / f64::from(bins));
    let bin = |place| Bin { minimum: edge(place), maximum: edge(place + 1), count: 0 };
    let mut bins: Vec<Bin> = (0..bins).map(bin).collect();
    // Between neighbours there is nothing to divide.
    bins.dedup_by_key(|bin| bin.minimum);
    bins
}

/// Counts values in ascending order.
fn fill(mut bins: Vec<Bin>, rows: impl Iterator<Item = (f64, Slot)>) -> Vec<Bin> {
    let mut place = 0;
    for (value, slot) in rows {
        while bins.get(place + 1).is_some_and(|next| next.minimum <= value) {
            place += 1;
        }
        if let Some(bin) = bins.get_mut(place) {
            bin.count = bin.count.saturating_add(slot.count);
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::super::Domain;
    use super::*;

    fn histogram(domain: Domain, values: &[f64], bins: u16) -> Vec<(f64, f64, u64)> {
        let mut summary = Summary::new(domain);
        for value in values {
            summary.observe(*value, 0).unwrap();
        }
        let bins = summary.histogram(bins).into_iter();
        bins.map(|bin| (bin.minimum, bin.maximum, bin.count)).collect()
    }

    #[test]
    fn whole_numbers_have_bins_of_whole_numbers() {
        let of = |values: &[f64], bins| histogram(Domain::of_integers(-10, 100), values, bins);
        assert_eq!(of(&[], 3), []);
        assert_eq!(of(&[7.0], 0), []);
        assert_eq!(of(&[7.0, 7.0], 100), [(7.0, 7.0, 2)]);
        assert_eq!(of(&[-1.0, 0.0, 1.0, 1.0], 7), [(-1.0, -1.0, 1), (0.0, 0.0, 1), (1.0, 1.0, 2)]);
        assert_eq!(of(&[0.0, 3.0, 4.0, 10.0], 3), [(0.0, 3.0, 2), (4.0, 7.0, 1), (8.0, 10.0, 1)]);
    }

    #[test]
    fn other_numbers_have_bins_of_one_width() {
        let of = |values: &[f64], bins| histogram(Domain::Continuous, values, bins);
        assert_eq!(of(&[0.5, 0.5], 10), [(0.5, 0.5, 2)]);
        assert_eq!(of(&[0.0, 0.25, 0.5, 1.0], 2), [(0.0, 0.5, 2), (0.5, 1.0, 2)]);
        let widest = of(&[f64::MIN, 0.0, f64::MAX], 2);
        assert_eq!(widest, [(f64::MIN, 0.0, 1), (0.0, f64::MAX, 2)]);
        let next = f64::from_bits(1.0_f64.to_bits() + 1);
        assert_eq!(of(&[1.0, next], 100).iter().map(|bin| bin.2).sum::<u64>(), 2);
    }

    #[test]
    fn a_sketch_counts_every_value_once() {
        let values: Vec<f64> = (0..10_000).map(|n| f64::from(n) / 7.0 - 300.0).collect();
        let bins = histogram(Domain::Continuous, &values, 10);
        assert_eq!(bins.len(), 10);
        assert_eq!(bins.iter().map(|bin| bin.2).sum::<u64>(), 10_000);
        assert!(bins.iter().all(|bin| (900..1100).contains(&bin.2)), "{bins:?}");
    }
}
