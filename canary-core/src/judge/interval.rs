//! The interval: between which success rates do the runs of one arm leave us?
//!
//! Shown to people beside the counts, never a gate: it holds for one look, not for many.
//! The exact interval of [Clopper & Pearson 1934](https://doi.org/10.1093/biomet/26.4.404), over
//! the incomplete beta function of `statrs`.
//!
//! Above a million runs, where that function loses its digits and both agree to five, the score
//! interval of [Wilson 1927](https://doi.org/10.1080/01621459.1927.10502953).
//!
//! The inverse is found by halving, in a fixed number of steps: the Newton iteration that comes with
//! the distribution does not end for counts in the millions.

use statrs::function::beta::checked_beta_reg;

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
    if runs > EXACT_UP_TO {
        return Some(score_interval(succeeded as f64 / runs as f64, runs as f64));
    }
    let low = if succeeded == 0 { 0.0 } else { quantile(succeeded, failed + 1, 0.025)? };
    let high = if failed == 0 { 1.0 } else { quantile(succeeded + 1, failed, 0.975)? };
    Some((low, high))
}

/// Most runs for which the exact interval is computed.
const EXACT_UP_TO: u64 = 1_000_000;

/// Wilson's interval at 95 % for a rate seen in `runs` runs.
fn score_interval(rate: f64, runs: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let scale = 1.0 + Z * Z / runs;
    let middle = (rate + Z * Z / (2.0 * runs)) / scale;
    let half = Z * (rate * (1.0 - rate) / runs + Z * Z / (4.0 * runs * runs)).sqrt() / scale;
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// The point below which a beta distribution has `rank` of its mass, to 2^-50.
fn quantile(a: u64, b: u64, rank: f64) -> Option<f64> {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if checked_beta_reg(a as f64, b as f64, middle).ok()? < rank {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high))
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
    fn both_intervals_agree_where_they_meet() {
        for runs in [10_000, 100_000, EXACT_UP_TO] {
            for succeeded in [runs / 2, runs / 10 * 9, runs / 1_000 * 999] {
                let (low, high) = score_interval(succeeded as f64 / runs as f64, runs as f64);
                let exact = success_rate_95(succeeded, runs).unwrap();
                let tenth = (high - low) / 10.0;
                assert!((exact.0 - low).abs() < tenth, "{succeeded}/{runs}: {exact:?}, {low}");
                assert!((exact.1 - high).abs() < tenth, "{succeeded}/{runs}: {exact:?}, {high}");
            }
        }
    }

    #[test]
    fn any_counts_give_an_interval_around_the_rate() {
        for runs in [1, 2, 999, 1_000_000, 1_000_001, u64::from(u32::MAX), u64::MAX] {
            for succeeded in [0, 1, runs / 2, runs - 1, runs] {
                let rate = succeeded as f64 / runs as f64;
                let (low, high) = success_rate_95(succeeded, runs).unwrap();
                assert!(
                    low <= rate + 1e-9 && rate <= high + 1e-9 && high - low <= 1.0,
                    "{succeeded}/{runs}: {low} to {high}"
                );
            }
        }
    }
}
