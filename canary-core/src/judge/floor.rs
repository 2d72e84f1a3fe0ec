//! The floor: is the canary's failure rate above what its threshold allows?
//!
//! # Formula
//!
//! H0: the failure rate is at most `q = 1 − threshold / 100`.
//! For a few failure rates `p_j` above `q`, the likelihood ratio of the runs seen so far is
//!
//! ```text
//! ln T_j = failed · ln(p_j / q) + succeeded · ln((1 − p_j) / (1 − q))
//! E      = Σ w_j · T_j
//! ```
//!
//! Under H0 each `T_j` is a supermartingale that starts at 1, and so is their mixture; by
//! [Ville's inequality](https://projecteuclid.org/euclid.ss/1494489817) the chance that `E` ever
//! reaches `1 / alpha` is at most `alpha`.
//! So one may look after every run, for ever, and stop at will.
//!
//! # What it does not promise
//!
//! Runs are taken as independent given the failure rate.
//! Retries of one fault are not; they count as often as they are reported.
//! A threshold of 0 % allows every failure rate: nothing can be below it and the rule is silent.
//! A threshold of 100 % allows none: the first failure is the proof.

use super::sequential::{Alpha, log_mixture};
use crate::release::Threshold;

/// How far the tested failure rates lie between the allowed one (0) and always failing (1).
/// The weights lean to the far end: what always fails is out after four runs at 80 %, and the
/// near points find what is only a little below the floor.
const POINTS: [(f64, f64); 5] =
    [(0.1, 1.0 / 6.0), (0.25, 1.0 / 6.0), (0.5, 1.0 / 6.0), (0.75, 1.0 / 6.0), (1.0, 2.0 / 6.0)];

/// What the floor made of the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Highest failure rate that the threshold allows, 0 to 1.
    pub allowed: f64,
    /// Natural logarithm of the evidence against the canary now.
    pub log_e: f64,
    /// The same at its highest since the canary began.
    pub max_log_e: f64,
    /// Chance of a false alarm at which the canary is rolled back.
    pub alpha: f64,
}

impl Reading {
    /// Weighs the counts of the canary; `max_log_e` is the highest evidence before these runs.
    ///
    /// `alpha` is [`Alpha::FLOOR`] when a team sets nothing.
    #[must_use]
    pub fn of(
        threshold: Threshold,
        succeeded: u64,
        failed: u64,
        max_log_e: f64,
        alpha: Alpha,
    ) -> Self {
        let allowed = threshold.failure_rate();
        let log_e = log_evidence(allowed, succeeded, failed);
        Self { allowed, log_e, max_log_e: max_log_e.max(log_e), alpha: alpha.get() }
    }

    /// The anytime-valid p-value, 0 to 1: `min(1, 1 / max E)`.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        (-self.max_log_e).exp().min(1.0)
    }

    /// Whether the evidence has ever reached `1 / alpha`.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.max_log_e >= -self.alpha.ln()
    }
}

/// The floor of one canary: what each run adds is worked out once, and the highest evidence is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    allowed: f64,
    /// For each tested failure rate: its weight, what a failed run adds, what a successful one adds.
    points: [(f64, f64, f64); POINTS.len()],
    max_log_e: f64,
}

impl Floor {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(threshold: Threshold) -> Self {
        Self::allowing(threshold.failure_rate())
    }

    /// The highest failure rate that is fine, 0 to 1.
    fn allowing(allowed: f64) -> Self {
        let points = POINTS.map(|(position, weight)| {
            let rate = allowed + (1.0 - allowed) * position;
            (weight.ln(), (rate / allowed).ln(), ((1.0 - rate) / (1.0 - allowed)).ln())
        });
        Self { allowed, points, max_log_e: 0.0 }
    }

    /// Looks at all runs of the canary, of which the last was just judged.
    pub fn observe(&mut self, succeeded: u64, failed: u64) {
        // Most runs set no record, and a bound that costs little shows it.
        let bound = self.logs(succeeded, failed).fold(f64::NEG_INFINITY, f64::max);
        if bound + (POINTS.len() as f64).ln() >= self.max_log_e || self.is_certain() {
            self.max_log_e = self.max_log_e.max(self.log_e(succeeded, failed));
        }
    }

    /// `ln E` for these runs of the canary; 0 while they say nothing.
    #[must_use]
    pub fn log_e(&self, succeeded: u64, failed: u64) -> f64 {
        if self.allowed >= 1.0 {
            return 0.0;
        }
        if self.is_certain() {
            return if failed > 0 { f64::INFINITY } else { 0.0 };
        }
        log_mixture(self.logs(succeeded, failed).map(|log| (1.0, log)))
    }

    /// The highest evidence at any look, at least 0.
    #[must_use]
    pub const fn max_log_e(&self) -> f64 {
        self.max_log_e
    }

    /// Goes on where the highest evidence was this.
    #[must_use]
    pub const fn resumed(self, max_log_e: f64) -> Self {
        Self { max_log_e: self.max_log_e.max(max_log_e), ..self }
    }

    /// What was found so far, given all runs of the canary.
    #[must_use]
    pub fn reading(&self, succeeded: u64, failed: u64, alpha: Alpha) -> Reading {
        let log_e = self.log_e(succeeded, failed);
        let max_log_e = self.max_log_e.max(log_e);
        Reading { allowed: self.allowed, log_e, max_log_e, alpha: alpha.get() }
    }

    /// Whether no failure at all is allowed, so that the first one is the proof.
    fn is_certain(&self) -> bool {
        self.allowed <= 0.0
    }

    fn logs(&self, succeeded: u64, failed: u64) -> impl Iterator<Item = f64> + Clone {
        self.points.iter().map(move |&(weight, failure, success)| {
            weight + weighed(failed, failure) + weighed(succeeded, success)
        })
    }
}

/// `ln E` for the counts of the canary; 0 while they say nothing.
///
/// `allowed` is the highest failure rate that is fine, 0 to 1.
#[must_use]
pub fn log_evidence(allowed: f64, succeeded: u64, failed: u64) -> f64 {
    Floor::allowing(allowed).log_e(succeeded, failed)
}

/// `count · log`, where nothing times what is impossible is nothing.
fn weighed(count: u64, log: f64) -> f64 {
    if count == 0 { 0.0 } else { count as f64 * log }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(percent: f64) -> Threshold {
        Threshold::parse(percent).unwrap()
    }

    /// Runs in order, looked at after each; at which run the rule crosses.
    fn crossed_at(percent: f64, runs: impl IntoIterator<Item = bool>) -> Option<usize> {
        let (mut succeeded, mut failed, mut max_log_e) = (0, 0, 0.0);
        for (index, success) in runs.into_iter().enumerate() {
            if success {
                succeeded += 1;
            } else {
                failed += 1;
            }
            let reading =
                Reading::of(threshold(percent), succeeded, failed, max_log_e, Alpha::FLOOR);
            if reading.is_crossed() {
                return Some(index + 1);
            }
            max_log_e = reading.max_log_e;
        }
        None
    }

    #[test]
    fn a_canary_that_always_fails_is_out_within_four_runs() {
        let cases =
            [(80.0, Some(4)), (90.0, Some(3)), (99.0, Some(2)), (100.0, Some(1)), (0.0, None)];
        for (percent, want) in cases {
            assert_eq!(crossed_at(percent, [false; 100]), want, "threshold {percent} %");
        }
    }

    #[test]
    fn one_failure_among_many_does_not_end_a_good_canary() {
        let runs = (0..10_000).map(|run| run % 100 != 7);
        assert_eq!(crossed_at(80.0, runs), None);
    }

    #[test]
    fn a_canary_below_the_floor_is_found_after_many_successes() {
        // 1 000 good runs, then only half of them: the rule forgets nothing and is not fooled.
        let runs = (0..1_000).map(|_| true).chain((0..10_000).map(|run| run % 2 == 0));
        let found = crossed_at(80.0, runs).expect("a half-failing canary must be found");
        assert!(found > 1_000, "{found}");
    }

    #[test]
    fn evidence_is_the_mixture_of_the_likelihood_ratios() {
        // Four failures at q = 0.2: rates 0.28, 0.4, 0.6, 0.8, 1, each to the fourth power of
        // its ratio to 0.2.
        let powers: [f64; 5] = [1.4, 2.0, 3.0, 4.0, 5.0].map(|ratio: f64| ratio.powi(4));
        let want = (powers.iter().sum::<f64>() + powers[4]) / 6.0;
        assert!((log_evidence(0.2, 0, 4).exp() - want).abs() < 1e-9 * want);
        assert!(log_evidence(0.2, 0, 0).abs() < 1e-15, "no runs, no evidence");
    }

    /// Ville's inequality on 20 000 seeded canaries right at the floor, looked at after every
    /// run: the promise is 1 %, and with a binomial limit of 99.9 % at most 1.23 % may cross.
    #[test]
    fn at_most_one_in_a_hundred_canaries_at_the_floor_is_rolled_back() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = || {
            // SplitMix64, https://doi.org/10.1145/2714064.2660195
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        };
        let rollouts = 20_000;
        let rolled_back = (0..rollouts)
            .filter(|_| {
                let mut draws = std::iter::repeat_with(&mut next).take(200);
                crossed_at(80.0, draws.by_ref().map(|draw| draw % 10 >= 2)).is_some()
            })
            .count();
        assert!(rolled_back <= 246, "{rolled_back} of {rollouts} good canaries were rolled back");
        assert!(rolled_back > 0, "a rule that never fires shows nothing");
    }
}
