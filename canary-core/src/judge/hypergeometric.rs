//! Fisher's non-central hypergeometric law: of the failures of two arms, how many are the first's?
//!
//! Arm a had `a` runs, arm b had `b`, and `total` of all these failed. If the odds of failing are
//! `odds` times as high in arm a, whatever they are in arm b, the failures of arm a have the law
//!
//! ```text
//! P(k) = C(a, k) · C(b, total − k) · odds^k / Z(odds),   Z(odds) = Σ_k C(a, k) · C(b, total − k) · odds^k
//! ```
//!
//! ([Fisher 1935](https://doi.org/10.2307/2342435)). `odds = 1` is the ordinary hypergeometric law.
//!
//! # How it is computed
//!
//! Neighbours have a simple ratio, so that sums are taken from the mode outwards and need no
//! factorial; they end where a term no longer changes the sum. Distances of more than 2^20 steps
//! are bridged by `ln Γ`, which costs digits: about `1e-16 · n · ln n` for n runs. A law with a
//! standard deviation above 65 536, which takes more than 10^10 runs, is summed as the normal curve
//! that it is by then: to about 1e-9 for a whole sum, and 1e-5 for a tail.
//! Nothing overflows, for any counts, and no question takes longer than some milliseconds, but for
//! [`Law::pmf`], which has a number for each member of the support.

use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

/// The farthest distance that is walked step by step.
const WALK: u64 = 1 << 20;

/// The standard deviation above which a sum is an integral.
const WIDE: f64 = 65_536.0;

/// Below this part of a sum a term no longer changes it.
const NEGLIGIBLE: f64 = 1e-18;

/// The law of the failures of arm a, given the runs of both arms and the failures of both together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Law {
    a: u64,
    b: u64,
    total: u64,
    low: u64,
    high: u64,
}

impl Law {
    /// The law for `a` and `b` runs of which `total` failed; `None` if that is more than there are.
    #[must_use]
    pub fn new(a: u64, b: u64, total: u64) -> Option<Self> {
        let low = total.saturating_sub(b);
        (low <= a).then_some(Self { a, b, total, low, high: a.min(total) })
    }

    /// Fewest and most failures that arm a can have.
    #[must_use]
    pub const fn support(&self) -> (u64, u64) {
        (self.low, self.high)
    }

    /// The probability of each member of the support, in order; `odds` is at least 0.
    #[must_use]
    pub fn pmf(&self, odds: f64) -> Vec<f64> {
        let mode = self.mode(odds);
        let mut below: Vec<f64> = self.terms_below(mode, odds).collect();
        below.reverse();
        let terms: Vec<f64> =
            below.into_iter().chain([1.0]).chain(self.terms_above(mode, odds)).collect();
        let sum: f64 = terms.iter().sum();
        terms.into_iter().map(|term| term / sum).collect()
    }

    /// `ln` of how much more probable `k` failures of arm a are at `odds` than at `null_odds`, both
    /// above 0 and finite.
    ///
    /// `k` is a member of the support.
    #[must_use]
    pub fn log_ratio(&self, k: u64, odds: f64, null_odds: f64) -> f64 {
        let (mode, null_mode) = (self.mode(odds), self.mode(null_odds));
        let distance = |mode: u64| k as f64 - mode as f64;
        distance(mode) * odds.ln()
            - distance(null_mode) * null_odds.ln()
            - self.log_rise(null_mode, mode)
            - (self.sum(mode, odds) / self.sum(null_mode, null_odds)).ln()
    }

    /// The probability of `k` failures of arm a or more if the odds are equal, 0 to 1.
    #[must_use]
    pub fn at_least(&self, k: u64) -> f64 {
        if k <= self.low {
            return 1.0;
        }
        if k > self.high {
            return 0.0;
        }
        let mode = self.mode(1.0);
        if self.deviation(mode) > WIDE {
            return self.normal_tail(k);
        }
        let sum = self.sum(mode, 1.0);
        if k > mode {
            let upper = sum_of(self.terms_above(k, 1.0));
            (self.log_rise(mode, k).exp() * upper / sum).min(1.0)
        } else {
            let lower = sum_of(self.terms_below(k - 1, 1.0));
            1.0 - (self.log_rise(mode, k - 1).exp() * lower / sum).min(1.0)
        }
    }

    /// The same from the normal curve with this mean and variance.
    fn normal_tail(&self, k: u64) -> f64 {
        let runs = u128::from(self.a) + u128::from(self.b);
        let product = u128::from(self.a) * u128::from(self.total);
        let fraction = (product % runs) as f64 / runs as f64;
        let distance = (i128::from(k) - (product / runs) as i128) as f64 - 0.5 - fraction;
        let [a, b, total, all] = [self.a as f64, self.b as f64, self.total as f64, runs as f64];
        let variance = total * (a / all) * (b / all) * ((all - total) / (all - 1.0));
        erfc(distance / (2.0 * variance).sqrt()) / 2.0
    }

    /// How many times the term of `k` that of `k + 1` is; falls with k.
    fn step(&self, k: u64, odds: f64) -> f64 {
        let left = (self.b - (self.total - k)) as f64 + 1.0;
        ((self.a - k) as f64 / (k as f64 + 1.0)) * ((self.total - k) as f64 / left) * odds
    }

    /// The member with the greatest term.
    fn mode(&self, odds: f64) -> u64 {
        let (mut low, mut high) = (self.low, self.high);
        while low < high {
            let middle = low.midpoint(high);
            if self.step(middle, odds) >= 1.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The terms above `k`, upwards, as multiples of its own.
    fn terms_above(&self, k: u64, odds: f64) -> impl Iterator<Item = f64> {
        (k..self.high).scan(1.0, move |term, member| {
            *term *= self.step(member, odds);
            Some(*term)
        })
    }

    /// The terms below `k`, downwards, as multiples of its own.
    fn terms_below(&self, k: u64, odds: f64) -> impl Iterator<Item = f64> {
        (self.low..k).rev().scan(1.0, move |term, member| {
            *term /= self.step(member, odds);
            Some(*term)
        })
    }

    /// The sum of all terms as a multiple of that of the mode.
    fn sum(&self, mode: u64, odds: f64) -> f64 {
        let deviation = self.deviation(mode);
        if deviation > WIDE {
            return deviation * (2.0 * std::f64::consts::PI).sqrt();
        }
        sum_of(self.terms_above(mode, odds)) + sum_of(self.terms_below(mode, odds)) - 1.0
    }

    /// The standard deviation of a law with this mode, for wide ones.
    fn deviation(&self, mode: u64) -> f64 {
        let curvature: f64 = self.cells(mode).iter().map(|cell| 1.0 / (*cell as f64 + 1.0)).sum();
        1.0 / curvature.sqrt()
    }

    /// The four cells of the table with `k` failures of arm a.
    const fn cells(&self, k: u64) -> [u64; 4] {
        [k, self.a - k, self.total - k, self.b - (self.total - k)]
    }

    /// `ln` of how many times the term of `from` that of `to` is, at equal odds.
    fn log_rise(&self, from: u64, to: u64) -> f64 {
        if to < from {
            return -self.log_rise(to, from);
        }
        if to - from > WALK {
            let log_term =
                |k| -> f64 { self.cells(k).iter().map(|cell| -ln_gamma(*cell as f64 + 1.0)).sum() };
            return log_term(to) - log_term(from);
        }
        let (mut log, mut product) = (0.0, 1.0_f64);
        for k in from..to {
            product *= self.step(k, 1.0);
            if !(1e-200..1e200).contains(&product) {
                log += product.ln();
                product = 1.0;
            }
        }
        log + product.ln()
    }
}

/// The sum of 1 and of terms that fall, as far as they change it.
fn sum_of(terms: impl Iterator<Item = f64>) -> f64 {
    1.0 + terms.take_while(|term| *term > NEGLIGIBLE).sum::<f64>()
}

#[cfg(test)]
mod tests;
