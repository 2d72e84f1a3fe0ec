//! Two failure rates, compared once.

use super::normal_above;
use crate::judge::blocks::open::{Block, Runs};
use crate::judge::hypergeometric::Law;

/// The z-test of two proportions with a pooled variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    /// How many standard errors the canary's failure rate is above the baseline's.
    pub z: f64,
    /// Chance of that much or more if the rates are equal, 0 to 1; for large counts.
    pub p_one_sided: f64,
}

impl TwoProportions {
    /// Compares the runs of both arms.
    ///
    /// `None` if an arm has no runs, or all runs ended the same way.
    #[must_use]
    pub fn of(counts: &Block) -> Option<Self> {
        let Block { canary, baseline } = counts;
        let rate = |runs: &Runs| runs.failed as f64 / runs.runs as f64;
        let (of_canary, of_baseline) = (canary.runs as f64, baseline.runs as f64);
        let pooled = (canary.failed as f64 + baseline.failed as f64) / (of_canary + of_baseline);
        let variance = pooled * (1.0 - pooled) * (1.0 / of_canary + 1.0 / of_baseline);
        let z = (rate(canary) - rate(baseline)) / variance.sqrt();
        z.is_finite().then(|| Self { z, p_one_sided: normal_above(z) })
    }
}

/// Fisher's exact test: chance that the canary has as many of the failures, or more, if the failure
/// rates are equal, 0 to 1.
///
/// `None` if more runs failed than there were.
/// From [Fisher 1935](https://doi.org/10.2307/2342435).
#[must_use]
pub fn fisher_exact(counts: &Block) -> Option<f64> {
    let Block { canary, baseline } = counts;
    let total = canary.failed.checked_add(baseline.failed)?;
    Some(Law::new(canary.runs, baseline.runs, total)?.at_least(canary.failed))
}

/// The parameters of a beta distribution: whole numbers, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beta {
    /// One more than the failures, if nothing was known before.
    pub a: u64,
    /// One more than the successes.
    pub b: u64,
}

impl Beta {
    /// What is known of a failure rate after these runs, if all rates were as likely before.
    ///
    /// `None` if more runs failed than there were, or there are 2^64 − 1 of them.
    #[must_use]
    pub fn after(runs: &Runs) -> Option<Self> {
        let succeeded = runs.runs.checked_sub(runs.failed)?;
        Some(Self { a: runs.failed.checked_add(1)?, b: succeeded.checked_add(1)? })
    }
}

/// The probability that the canary's failure rate is the higher one, 0 to 1, given what is known of
/// each.
///
/// The `a`-th smallest of `a + b − 1` uniform numbers has the beta distribution, so this is the
/// question whose numbers come first in a shuffled row: a hypergeometric tail, exact for any counts.
///
/// `None` if a parameter is 0 or the sum of three of them leaves 64 bits.
///
/// # Examples
///
/// ```
/// use canary_core::judge::compare::proportions::{Beta, probability_worse};
///
/// let (canary, baseline) = (Beta { a: 6, b: 96 }, Beta { a: 3, b: 99 });
/// assert!((probability_worse(canary, baseline).unwrap() - 0.860_427_9).abs() < 1e-7);
/// assert_eq!(probability_worse(baseline, baseline).map(|chance| chance.round()), Some(1.0));
/// ```
#[must_use]
pub fn probability_worse(canary: Beta, baseline: Beta) -> Option<f64> {
    if [canary.a, canary.b, baseline.a, baseline.b].contains(&0) {
        return None;
    }
    let row = |beta: Beta| beta.a.checked_add(beta.b - 1);
    let first = canary.a.checked_add(baseline.a)? - 1;
    Some(Law::new(row(baseline)?, row(canary)?, first)?.at_least(baseline.a))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beta(failed: u64, succeeded: u64) -> Beta {
        Beta::after(&Runs { runs: failed + succeeded, failed }).unwrap()
    }

    /// From 40-digit arithmetic.
    #[test]
    fn the_probability_that_the_canary_is_worse_is_exact() {
        let cases = [
            ((5, 95), (2, 98), 0.860_427_865_636_117_7),
            ((0, 10), (0, 10), 0.5),
            ((300, 99_700), (250, 99_750), 0.983_584_892_656_630_8),
            ((1, 0), (0, 1_000_000), 0.999_999_999_998),
            ((2_000, 98_000), (2_100, 98_000), 0.061_111_682_971_509_47),
        ];
        for (canary, baseline, want) in cases {
            let (canary, baseline) = (beta(canary.0, canary.1), beta(baseline.0, baseline.1));
            let got = probability_worse(canary, baseline).unwrap();
            assert!((got - want).abs() < 1e-11, "{canary:?} {baseline:?}: {got}");
        }
        assert_eq!(probability_worse(Beta { a: 0, b: 1 }, beta(1, 1)), None);
        assert_eq!(probability_worse(Beta { a: u64::MAX, b: 2 }, beta(1, 1)), None);
        assert_eq!(Beta::after(&Runs { runs: 1, failed: 2 }), None);
    }

    #[test]
    fn rates_that_cannot_differ_have_no_z() {
        let runs = |runs, failed| Runs { runs, failed };
        let of = |canary, baseline| TwoProportions::of(&Block { canary, baseline });
        assert_eq!(of(runs(0, 0), runs(5, 1)), None);
        assert_eq!(of(runs(5, 0), runs(5, 0)), None);
        assert_eq!(of(runs(5, 5), runs(5, 5)), None);
        assert!(of(runs(u64::MAX, 9), runs(u64::MAX, 8)).is_some());
        assert_eq!(fisher_exact(&Block { canary: runs(1, 2), baseline: runs(0, 0) }), None);
        assert_eq!(fisher_exact(&Block::default()), Some(1.0));
    }

    proptest! {
        #[test]
        fn one_of_two_versions_is_worse(
            ours in 0_u64..3_000, good in 0_u64..3_000, theirs in 0_u64..3_000, fine in 0_u64..3_000,
        ) {
            let (canary, baseline) = (beta(ours, good), beta(theirs, fine));
            let both = probability_worse(canary, baseline).unwrap()
                + probability_worse(baseline, canary).unwrap();
            prop_assert!((both - 1.0).abs() < 1e-9, "{}", both);
        }
    }
}
