//! The service level: is the canary's failure rate below what is acceptable?

use crate::judge::sequential::log_mixture;
use crate::value::{ValueError, check_range};

/// The tested failure rates, as parts of the acceptable one.
const PARTS: [f64; 5] = [0.02, 0.1, 0.25, 0.5, 0.75];

/// A mixture of likelihood ratios against one failure rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    acceptable: f64,
    /// What a failed run and a successful one add, for each tested failure rate.
    points: Vec<(f64, f64)>,
}

impl Service {
    /// The lowest acceptable failure rate.
    pub const LOWEST: f64 = 1e-6;
    /// The highest acceptable failure rate.
    pub const HIGHEST: f64 = 1.0 - 1e-6;

    /// Against a failure rate of at least `acceptable`, at 2, 10, 25, 50 and 75 % of it.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not a number from 0.000001 to 0.999999.
    pub fn new(acceptable: f64) -> Result<Self, ValueError> {
        Self::with_points(acceptable, &PARTS.map(|part| part * acceptable))
    }

    /// The same at other failure rates, each from 0 to 1.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if one of them, or the acceptable one, is out of its range.
    pub fn with_points(acceptable: f64, points: &[f64]) -> Result<Self, ValueError> {
        let what = "acceptable failure rate";
        let acceptable = check_range(what, acceptable, Self::LOWEST, Self::HIGHEST, "")?;
        let points = points.iter().map(|rate| {
            let rate = check_range("tested failure rate", *rate, 0.0, 1.0, "")?;
            Ok(((rate / acceptable).ln(), (-rate).ln_1p() - (-acceptable).ln_1p()))
        });
        Ok(Self { acceptable, points: points.collect::<Result<_, _>>()? })
    }

    /// The acceptable failure rate, between 0 and 1.
    #[must_use]
    pub const fn acceptable(&self) -> f64 {
        self.acceptable
    }

    /// `ln E` for the runs of the canary.
    #[must_use]
    pub fn log_e(&self, succeeded: u64, failed: u64) -> f64 {
        let weight = 1.0 / self.points.len() as f64;
        log_mixture(self.logs(succeeded, failed).map(|log| (weight, log)))
    }

    /// A number that `ln E` does not exceed.
    pub(super) fn bound(&self, succeeded: u64, failed: u64) -> f64 {
        self.logs(succeeded, failed).fold(f64::NEG_INFINITY, f64::max)
    }

    fn logs(&self, succeeded: u64, failed: u64) -> impl Iterator<Item = f64> + Clone {
        self.points
            .iter()
            .map(move |(failure, success)| weighed(failed, *failure) + weighed(succeeded, *success))
    }
}

/// `count · log`, where nothing times what is impossible is nothing.
fn weighed(count: u64, log: f64) -> f64 {
    if count == 0 { 0.0 } else { count as f64 * log }
}
