//! Figures of many measurements.

/// How long requests took.
#[derive(Debug, Clone)]
pub struct Latencies {
    sorted_us: Vec<u32>,
}

impl Latencies {
    /// Of latencies in µs, in any order.
    pub fn of(mut latencies_us: Vec<u32>) -> Self {
        latencies_us.sort_unstable();
        Self { sorted_us: latencies_us }
    }

    pub const fn count(&self) -> usize {
        self.sorted_us.len()
    }

    /// The latency in ms below which this part of them lies, from 0 to 1; NaN if there is none.
    pub fn at_ms(&self, rank: f64) -> f64 {
        let index = (self.sorted_us.len() as f64 * rank) as usize;
        let latency_us = self.sorted_us.get(index).or(self.sorted_us.last());
        latency_us.map_or(f64::NAN, |latency_us| f64::from(*latency_us) / 1e3)
    }

    pub fn max_ms(&self) -> f64 {
        self.at_ms(1.0)
    }
}

/// The middle one; of an even count the mean of the two in the middle, of none NaN.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}
