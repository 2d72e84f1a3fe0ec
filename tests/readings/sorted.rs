//! The oracle: all statistics, from nothing but a sort.

use serde_json::{Value, json};

/// Readings in the order of value and time; at least one.
pub(super) struct Sorted {
    readings: Vec<(i64, i64)>,
}

impl Sorted {
    /// Sorts readings, of which second and value are given; nothing if there are none.
    pub(super) fn of(readings: impl Iterator<Item = (i64, i64)>) -> Option<Self> {
        let mut readings: Vec<_> = readings.map(|(second, value)| (value, second)).collect();
        readings.sort_unstable();
        if readings.is_empty() { None } else { Some(Self { readings }) }
    }

    pub(super) fn count(&self) -> usize {
        self.readings.len()
    }

    fn value(&self, rank: usize) -> i64 {
        self.readings[rank].0
    }

    /// A value, and the last second at which it was measured.
    fn newest(&self, value: i64) -> i64 {
        let behind = self.readings.partition_point(|(other, _)| *other <= value);
        self.readings[behind - 1].1
    }

    pub(super) fn min(&self) -> (f64, i64) {
        let value = self.value(0);
        (value as f64, self.newest(value))
    }

    pub(super) fn max(&self) -> (f64, i64) {
        let value = self.value(self.count() - 1);
        (value as f64, self.newest(value))
    }

    /// Of an even count the mean of the two in the middle, with the time of the lower one.
    pub(super) fn median(&self) -> (f64, i64) {
        (self.middle(0, self.count()), self.newest(self.value((self.count() - 1) / 2)))
    }

    /// The medians of both halves, the middle in both if the count is odd.
    pub(super) fn quartiles(&self) -> (f64, f64) {
        let half = self.count().div_ceil(2);
        (self.middle(0, half), self.middle(self.count() - half, self.count()))
    }

    fn middle(&self, from: usize, until: usize) -> f64 {
        let count = until - from;
        let sum = self.value(from + (count - 1) / 2) + self.value(from + count / 2);
        sum as f64 / 2.0
    }

    /// The most frequent value, of several the smallest.
    pub(super) fn mode(&self) -> f64 {
        let mut most = (0, 0);
        for run in self.readings.chunk_by(|one, next| one.0 == next.0) {
            if run.len() > most.0 {
                most = (run.len(), run[0].0);
            }
        }
        most.1 as f64
    }

    pub(super) fn mean(&self) -> f64 {
        let sum: i64 = self.readings.iter().map(|(value, _)| value).sum();
        sum as f64 / self.count() as f64
    }

    /// Of a sample: nothing if it is a single reading.
    pub(super) fn variance(&self) -> Option<f64> {
        let count = self.count() as i128;
        let values = self.readings.iter().map(|(value, _)| i128::from(*value));
        let sum: i128 = values.clone().sum();
        let squares: i128 = values.map(|value| value * value).sum();
        // Whole numbers up to here: nothing is rounded but the result.
        let products = count * squares - sum * sum;
        (count > 1).then(|| products as f64 / (count * (count - 1)) as f64)
    }
}

/// A number as the server writes it: 22, not 22.0.
pub(super) fn number(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}
