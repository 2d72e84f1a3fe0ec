//! Mean and variance of a stream, in one pass ([Welford 1962]), merged as in
//! [Chan, Golub & LeVeque 1979].
//!
//! [Welford 1962]: https://doi.org/10.1080/00401706.1962.10490022
//! [Chan, Golub & LeVeque 1979]: http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf

use super::counts::Slot;

/// Count, mean, and the sum of squared distances to the mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub count: u64,
    /// Always finite.
    pub mean: f64,
    /// At least 0; infinite if squares leave the range of `f64`.
    pub squares: f64,
}

impl Moments {
    /// Of finite values in ascending order, in two passes: the mean first.
    pub(super) fn of(rows: impl DoubleEndedIterator<Item = (f64, Slot)> + Clone) -> Self {
        let (Some((lowest, _)), Some((highest, _))) =
            (rows.clone().next(), rows.clone().next_back())
        else {
            return Self::default();
        };
        let count = rows.clone().fold(0_u64, |sum, (_, slot)| sum.saturating_add(slot.count));
        let all = count as f64;
        let sum: f64 = rows.clone().map(|(value, slot)| value * slot.count as f64).sum();
        let mean = if sum.is_finite() {
            sum / all
        } else {
            rows.clone().map(|(value, slot)| value * (slot.count as f64 / all)).sum()
        };
        // Rounding must not carry the mean beyond the values it is the mean of.
        let mean = mean.max(lowest).min(highest);
        let squares = rows.map(|(value, slot)| (value - mean).powi(2) * slot.count as f64).sum();
        Self { count, mean, squares }
    }

    /// Adds a finite value as often as it was seen.
    pub(super) fn add(&mut self, value: f64, count: u64) {
        self.merge(&Self { count, mean: value, squares: 0.0 });
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = *other;
            }
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let share = others / (own + others);
        let distance = other.mean - self.mean;
        self.mean += if distance.is_finite() {
            distance * share
        } else {
            other.mean * share - self.mean * share
        };
        self.squares += other.squares + distance * distance * (own * share);
        self.count = self.count.saturating_add(other.count);
    }

    /// Of a sample, divided by one less than the count.
    pub(super) fn variance(&self) -> Option<f64> {
        let variance = self.squares / self.count.checked_sub(1)? as f64;
        Some(variance).filter(|variance| self.count > 1 && variance.is_finite())
    }
}
