//! Failures alone: whose are they?
//!
//! Where successes are not reported, crashes for example, there are no failure rates to compare.
//! But if the canary gets a known share `s` of the runs, each failure is a coin: with odds of failing
//! `o` times those of the baseline, and failures rare, it is the canary's with probability
//! `s·o / (s·o + 1 − s)`. For failures in strata of constant share
//!
//! ```text
//! L_g = Σ f_c · ln(o_g / (s·o_g + 1 − s)) − f_b · ln(s·o_g + 1 − s)
//! ```
//!
//! against `o = 1`, mixed over a grid as in [`blocks`](super::blocks). It stays valid however often
//! one looks; compare [Lindon & Malek 2022](https://arxiv.org/abs/2011.03567).
//!
//! # What it does not promise
//!
//! The share must be that of the runs, exactly, and runs must be handed out at random. A share that
//! is only aimed at makes a good canary look bad; use [`blocks`](super::blocks) where successes
//! are known.

use super::sequential::log_mixture;

/// Failures while the canary had one share of the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// The canary's share, 0 to 1.
    pub share: f64,
    /// Failures of the canary.
    pub canary_failures: u64,
    /// Failures of the baseline.
    pub baseline_failures: u64,
}

/// The sum `L` for one odds ratio, above 0.
#[must_use]
pub fn log_ratio(strata: &[Stratum], odds: f64) -> f64 {
    let of = |Stratum { share, canary_failures, baseline_failures }: &Stratum| {
        // One failure of the canary adds ln(odds) more than one of the baseline; precise near 1.
        let spread = (share * (odds - 1.0)).ln_1p();
        *canary_failures as f64 * (odds.ln() - spread) - *baseline_failures as f64 * spread
    };
    strata.iter().map(of).sum()
}

/// `ln E` over a grid of odds ratios, above 0, and their weights.
pub fn log_e(strata: &[Stratum], grid: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    log_mixture(grid.map(|(odds, weight)| (weight, log_ratio(strata, odds))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stratum_in_which_everybody_has_the_canary_says_nothing() {
        let all = Stratum { share: 1.0, canary_failures: 60, baseline_failures: 0 };
        assert!(log_ratio(&[all], 5.0).abs() < 1e-12);
        let none = Stratum { share: 0.0, canary_failures: 0, baseline_failures: 60 };
        assert_eq!(log_ratio(&[none], 5.0), 0.0);
        assert_eq!(log_ratio(&[], 5.0), 0.0);
    }

    #[test]
    fn failures_of_the_canary_speak_for_high_odds() {
        let stratum =
            |canary_failures| Stratum { share: 0.2, canary_failures, baseline_failures: 4 };
        let grid = [(1.6, 0.5), (5.0, 0.5)].into_iter();
        assert!(log_e(&[stratum(1)], grid.clone()) < 0.0);
        assert!(log_e(&[stratum(10)], grid) > 3.0);
    }
}
