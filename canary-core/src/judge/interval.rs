//! The interval: between which success rates do the runs of one arm leave us?
//!
//! Shown to people beside the counts, never a gate: it holds for one look, not for many.
//! The exact interval of [Clopper & Pearson 1934](https://doi.org/10.1093/biomet/26.4.404), over
//! the beta distribution of `statrs`.

use statrs::distribution::{Beta, ContinuousCDF as _};

/// The range of success rates that the runs are compatible with at 95 %, from 0 to 1.
///
/// `None` without a run.
///
/// # Examples
///
/// ```
/// use canary_core::judge::interval::success_rate_95;
///
/// let (low, high) = success_rate_95(98, 100).unwrap();
/// assert!((0.929..0.930).contains(&low) && (0.997..0.998).contains(&high));
/// assert_eq!(success_rate_95(0, 0), None);
/// ```
#[must_use]
pub fn success_rate_95(succeeded: u64, runs: u64) -> Option<(f64, f64)> {
    let failed = runs.checked_sub(succeeded)?;
    if runs == 0 {
        return None;
    }
    let low = if succeeded == 0 { 0.0 } else { quantile(succeeded, failed + 1, 0.025)? };
    let high = if failed == 0 { 1.0 } else { quantile(succeeded + 1, failed, 0.975)? };
    Some((low, high))
}

fn quantile(a: u64, b: u64, rank: f64) -> Option<f64> {
    Beta::new(a as f64, b as f64).ok()?.try_inverse_cdf(rank).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published limits, as R's `binom.test` prints them.
    #[test]
    fn the_interval_is_that_of_clopper_and_pearson() {
        let cases = [
            (0, 4, 0.0, 0.602_364_6),
            (4, 4, 0.397_635_4, 1.0),
            (8, 10, 0.443_904_5, 0.974_789_3),
            (80, 100, 0.708_156_9, 0.873_336_8),
        ];
        for (succeeded, runs, low, high) in cases {
            let got = success_rate_95(succeeded, runs).unwrap();
            assert!((got.0 - low).abs() < 1e-5, "{succeeded}/{runs}: {got:?}");
            assert!((got.1 - high).abs() < 1e-5, "{succeeded}/{runs}: {got:?}");
        }
        assert_eq!(success_rate_95(2, 1), None);
    }

    #[test]
    fn the_interval_never_panics_on_large_counts() {
        for runs in [1, 1_000, 1_000_000, 1_000_000_000] {
            for succeeded in [0, 1, runs / 2, runs - 1, runs] {
                if let Some((low, high)) = success_rate_95(succeeded, runs) {
                    assert!(low <= high, "{succeeded}/{runs}");
                }
            }
        }
    }
}
