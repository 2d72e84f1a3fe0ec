//! Whole numbers of a small range: every answer comes from exact counts.

use super::counts::{Counts, Slot};
use super::table::Rows;

/// Counts of the whole numbers from `minimum` to `maximum`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted {
    minimum: i64,
    maximum: i64,
    /// By distance to `minimum`.
    counts: Counts,
}

impl Counted {
    /// Both ends lie within ±2⁵³ and at most 65 536 numbers apart.
    pub(super) fn new(minimum: i64, maximum: i64) -> Self {
        Self { minimum, maximum, counts: Counts::default() }
    }

    pub(super) const fn minimum(&self) -> i64 {
        self.minimum
    }

    pub(super) const fn maximum(&self) -> i64 {
        self.maximum
    }

    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Counts a value; `false` if it is not of the range.
    #[inline]
    pub(super) fn observe(&mut self, value: f64, at: i64) -> bool {
        let whole = value as i64;
        // The cast turns NaN into 0 and cuts fractions and infinities: none of them comes back.
        if whole as f64 != value || whole < self.minimum || whole > self.maximum {
            return false;
        }
        self.counts.add((whole - self.minimum) as u32, Slot::once(at));
        true
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
    }

    pub(super) fn merge_rows(&mut self, rows: Rows<'_>) {
        self.counts.merge_rows(rows);
    }

    /// The values that were seen, ascending.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = (f64, Slot)> + Clone {
        self.counts.rows().map(|(key, slot)| ((self.minimum + i64::from(key)) as f64, slot))
    }

    /// The sums of the keys and of their squares.
    fn sums(&self) -> (i128, i128) {
        self.counts.rows().fold((0, 0), |(sum, squares), (key, slot)| {
            let (key, count) = (i128::from(key), i128::from(slot.count));
            (sum + key * count, squares + key * key * count)
        })
    }

    /// The sum of whole numbers, divided once; at least one value was seen.
    pub(super) fn mean(&self) -> f64 {
        let (sum, _) = self.sums();
        let count = i128::from(self.counts.total());
        let whole = i128::from(self.minimum).saturating_mul(count).saturating_add(sum);
        whole as f64 / count as f64
    }

    /// `(n·Σx² − (Σx)²) / (n·(n − 1))`, of whole numbers up to the division.
    ///
    /// Taken of the distances to `minimum`, which have the same variance: the products hold the
    /// square of 2⁴⁷ observations.
    pub(super) fn variance(&self) -> Option<f64> {
        let count = self.counts.total();
        if count < 2 {
            return None;
        }
        let (sum, squares) = self.sums();
        let products =
            i128::from(count).saturating_mul(squares).saturating_sub(sum.saturating_mul(sum));
        Some(products.max(0) as f64 / count as f64 / (count - 1) as f64)
    }
}
