//! Sums of logarithms over blocks, one per odds ratio.
//!
//! They are kept as whole steps of 2^-48, each block rounded down. So sums are exact and the same to
//! the bit in every order, and rounding only ever makes the test more careful: by less than 4e-12
//! in a thousand blocks. In 128 bits no number of runs makes them overflow.

use super::super::hypergeometric::Law;
use super::super::sequential::log_mixture;
use super::open::Block;

/// Steps of 1.
const STEPS: f64 = (1_u64 << 48) as f64;

/// Sums for `N` odds ratios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums<const N: usize> {
    pub(crate) steps: [i128; N],
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self { steps: [0; N] }
    }
}

impl<const N: usize> Sums<N> {
    /// Adds what a block says for each odds ratio against the odds ratio `null`, all of them above
    /// 0 and finite; whether it said anything.
    pub fn add(&mut self, block: &Block, odds: &[f64; N], null: f64) -> bool {
        let Some(factors) = Factors::of(block) else { return false };
        let of_null = factors.sum(null);
        for (steps, odds) in self.steps.iter_mut().zip(odds) {
            // A cast of floats saturates: nothing here can overflow.
            let log = factors.log(*odds, null, of_null);
            *steps = steps.saturating_add((log * STEPS).floor() as i128);
        }
        true
    }

    /// Adds the sums of another part.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.steps.iter_mut().zip(other.steps) {
            *own = own.saturating_add(other);
        }
    }

    /// The sums.
    #[must_use]
    pub fn logs(&self) -> [f64; N] {
        self.steps.map(|steps| steps as f64 / STEPS)
    }

    /// The greatest sum, which no mixture exceeds: it costs a tenth of one.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.steps.iter().max().map_or(f64::NEG_INFINITY, |steps| *steps as f64 / STEPS)
    }

    /// `ln Σ w·e^L` for these weights.
    #[must_use]
    pub fn log_e(&self, weights: &[f64; N]) -> f64 {
        log_mixture(weights.iter().copied().zip(self.logs()))
    }
}

/// What one block says.
#[derive(Debug, Clone, Copy)]
struct Factors {
    law: Law,
    /// Failures of the canary.
    failed: u64,
    /// With at most nine runs per arm: `C(n_c, k) · C(n_b, F − k)` for each possible `k`, exact, and
    /// zeros.
    products: Option<[f64; MOST + 1]>,
}

/// Most runs of an arm whose binomials are kept.
const MOST: usize = 9;

/// Pascal's triangle: `CHOOSE[n][k]` ways to choose k of n.
const CHOOSE: [[u8; MOST + 1]; MOST + 1] = [
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    [1, 2, 1, 0, 0, 0, 0, 0, 0, 0],
    [1, 3, 3, 1, 0, 0, 0, 0, 0, 0],
    [1, 4, 6, 4, 1, 0, 0, 0, 0, 0],
    [1, 5, 10, 10, 5, 1, 0, 0, 0, 0],
    [1, 6, 15, 20, 15, 6, 1, 0, 0, 0],
    [1, 7, 21, 35, 35, 21, 7, 1, 0, 0],
    [1, 8, 28, 56, 70, 56, 28, 8, 1, 0],
    [1, 9, 36, 84, 126, 126, 84, 36, 9, 1],
];

/// Odds whose tenth powers are far from the ends of the floats.
const MODERATE: std::ops::Range<f64> = 1e-12..1e12;

impl Factors {
    /// `None` if the block says nothing: an arm is missing, or all or none of its runs failed.
    fn of(block: &Block) -> Option<Self> {
        let Block { canary, baseline } = block;
        let total = canary.failed.checked_add(baseline.failed)?;
        let succeeded =
            (canary.runs.checked_sub(canary.failed)?, baseline.runs.checked_sub(baseline.failed)?);
        if total == 0 || succeeded == (0, 0) || !block.has_both() {
            return None;
        }
        let law = Law::new(canary.runs, baseline.runs, total)?;
        Some(Self { law, failed: canary.failed, products: products(block, total, law.support().0) })
    }

    /// The sum of a small block at these odds, without the power of its least `k`; `None` of a large
    /// block, and where powers would leave the range of floats.
    fn sum(&self, odds: f64) -> Option<f64> {
        let products = self.products.as_ref().filter(|_| MODERATE.contains(&odds))?;
        let (low, high) = self.law.support();
        let members = products.get(..=(high - low) as usize)?;
        Some(members.iter().rev().fold(0.0, |sum, product| sum * odds + product))
    }

    /// The logarithm of how much more probable the block is at `odds` than at `null`.
    fn log(&self, odds: f64, null: f64, of_null: Option<f64>) -> f64 {
        match (self.sum(odds), of_null) {
            (Some(of_odds), Some(of_null)) => {
                let above = (self.failed - self.law.support().0) as i32;
                ((odds / null).powi(above) * (of_null / of_odds)).ln()
            }
            _ => self.law.log_ratio(self.failed, odds, null),
        }
    }
}

/// The products of binomials of a small block with `total` failures, from `low` of the canary on.
fn products(block: &Block, total: u64, low: u64) -> Option<[f64; MOST + 1]> {
    let row = |runs: u64| CHOOSE.get(usize::try_from(runs).ok()?);
    let (of_canary, of_baseline) = (row(block.canary.runs)?, row(block.baseline.runs)?);
    let ours = of_canary.iter().skip(low as usize);
    let others = of_baseline.iter().take((total - low) as usize + 1).rev();
    let mut products = [0.0; MOST + 1];
    for (product, (one, other)) in products.iter_mut().zip(ours.zip(others)) {
        *product = f64::from(*one) * f64::from(*other);
    }
    Some(products)
}
