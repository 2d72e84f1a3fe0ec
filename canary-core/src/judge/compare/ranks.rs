//! Ranks: do the canary's values tend to be higher than the baseline's?
//!
//! The test of [Mann & Whitney 1947](https://doi.org/10.1214/aoms/1177730491), with equal values
//! counted as a half and the variance corrected for them.

use super::normal_above;

/// Most values of both arms for which the chances are counted out.
const EXACT_UP_TO: usize = 100;

/// The chances of a result as extreme, each from 0 to 1, if neither arm tends to higher values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chances {
    /// That the canary's values are as much higher.
    pub greater: f64,
    /// That they are as much lower.
    pub less: f64,
    /// That they are as far apart in either direction.
    pub two_sided: f64,
}

/// The result of a comparison of ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// In how many pairs the canary's value is the higher one; equal ones count a half.
    pub u: f64,
    /// How many pairs there are.
    pub pairs: f64,
    /// From the normal curve, with the correction for continuity.
    pub corrected: Chances,
    /// From the normal curve, without it.
    pub uncorrected: Chances,
    /// Counted out: of at most 100 values, no two of which are equal.
    pub exact: Option<Chances>,
}

impl MannWhitney {
    /// Compares the values of both arms, in any order.
    ///
    /// `None` if an arm has no values, or one is NaN.
    #[must_use]
    pub fn of(canary: &[f64], baseline: &[f64]) -> Option<Self> {
        let all = canary.iter().map(|value| (*value, true));
        let mut all: Vec<(f64, bool)> =
            all.chain(baseline.iter().map(|value| (*value, false))).collect();
        if canary.is_empty() || baseline.is_empty() || all.iter().any(|(value, _)| value.is_nan()) {
            return None;
        }
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (mut u, mut ties, mut below) = (0.0, 0.0, 0.0);
        for group in all.chunk_by(|one, other| one.0 == other.0) {
            let size = group.len() as f64;
            let ours = group.iter().filter(|(_, is_canary)| *is_canary).count() as f64;
            u += ours * (below + (size - ours) / 2.0);
            below += size - ours;
            ties += size * (size * size - 1.0);
        }
        let (n, m) = (canary.len() as f64, baseline.len() as f64);
        let variance = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
        let exact = ties == 0.0 && all.len() <= EXACT_UP_TO;
        Some(Self {
            u,
            pairs: n * m,
            corrected: from_normal(u, n * m, variance.sqrt(), 0.5),
            uncorrected: from_normal(u, n * m, variance.sqrt(), 0.0),
            exact: exact.then(|| counted_out(u as usize, canary.len(), baseline.len())),
        })
    }

    /// How probable it is that a run of the canary has a higher value than one of the baseline,
    /// 0 to 1; 0.5 means that neither tends to be higher.
    #[must_use]
    pub fn probability_higher(&self) -> f64 {
        self.u / self.pairs
    }
}

fn from_normal(u: f64, pairs: f64, deviation: f64, continuity: f64) -> Chances {
    // If all values are equal there is no deviation, and nothing extreme either.
    let above = |u: f64| {
        let distance = u - pairs / 2.0 - continuity;
        if deviation > 0.0 { normal_above(distance / deviation) } else { 1.0 }
    };
    let other = pairs - u;
    let two_sided = (2.0 * above(u.max(other))).min(1.0);
    Chances { greater: above(u), less: above(other), two_sided }
}

/// Counts the orders of `n` and `m` different values in which `u` pairs or more are won.
fn counted_out(u: usize, n: usize, m: usize) -> Chances {
    let ways = orders(n, m);
    let all: f64 = ways.iter().sum();
    let from = |u: usize| ways.iter().skip(u).sum::<f64>() / all;
    let other = n * m - u;
    let two_sided = (2.0 * from(u.max(other))).min(1.0);
    Chances { greater: from(u), less: from(other), two_sided }
}

/// In how many orders of `n` and `m` values each number of pairs is won, from none to all.
///
/// The last of all values is one of the `n` and wins `m` pairs, or is not and wins none.
fn orders(n: usize, m: usize) -> Vec<f64> {
    // Only sums, so that nothing is lost to rounding but the last digits.
    let mut rows: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for ours in 1..=n {
        let mut before: Vec<f64> = vec![1.0];
        for (others, row) in rows.iter_mut().enumerate() {
            let mut ways = vec![0.0; ours * others + 1];
            for (way, won) in ways.iter_mut().skip(others).zip(row.iter()) {
                *way += won;
            }
            if others > 0 {
                for (way, lost) in ways.iter_mut().zip(&before) {
                    *way += lost;
                }
            }
            before.clone_from(&ways);
            *row = ways;
        }
    }
    rows.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arms_without_values_or_without_order_are_not_compared() {
        assert_eq!(MannWhitney::of(&[], &[1.0]), None);
        assert_eq!(MannWhitney::of(&[1.0], &[]), None);
        assert_eq!(MannWhitney::of(&[1.0, f64::NAN], &[1.0]), None);
    }

    #[test]
    fn equal_values_are_no_evidence() {
        let test = MannWhitney::of(&[0.0; 4], &[-0.0; 7]).unwrap();
        assert_eq!((test.u, test.probability_higher(), test.exact), (14.0, 0.5, None));
        assert_eq!(test.corrected, Chances { greater: 1.0, less: 1.0, two_sided: 1.0 });
    }

    #[test]
    fn orders_are_counted_without_a_gap() {
        // 20 over 10 orders of ten and ten values.
        assert_eq!(orders(10, 10).iter().sum::<f64>(), 184_756.0);
        assert_eq!(orders(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(orders(50, 50).len(), 2_501);
    }

    proptest! {
        #[test]
        fn u_counts_the_pairs_that_are_won(
            canary in vec(-5_i8..5, 1..30), baseline in vec(-5_i8..5, 1..30),
        ) {
            let floats = |list: &[i8]| list.iter().copied().map(f64::from).collect::<Vec<f64>>();
            let (canary, baseline) = (floats(&canary), floats(&baseline));
            let won = |one: f64, other: f64| f64::from(one > other) + f64::from(one == other) / 2.0;
            let pairs = canary.iter().flat_map(|one| baseline.iter().map(move |other| won(*one, *other)));
            let test = MannWhitney::of(&canary, &baseline).unwrap();
            prop_assert_eq!(test.u, pairs.sum::<f64>());
            let turned = MannWhitney::of(&baseline, &canary).unwrap();
            prop_assert!((test.corrected.greater - turned.corrected.less).abs() < 1e-12);
            prop_assert_eq!(test.corrected.two_sided, turned.corrected.two_sided);
            prop_assert!(test.uncorrected.greater <= test.corrected.greater);
        }
    }
}
