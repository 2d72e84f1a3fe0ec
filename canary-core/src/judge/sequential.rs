//! What the tests share that stay valid however often one looks.
//!
//! Each keeps a number `E` that starts at 1 and whose expectation never grows while its hypothesis
//! holds. By [Ville's inequality](https://projecteuclid.org/euclid.ss/1494489817) the chance that
//! `E` *ever* reaches `1 / alpha` is at most `alpha`, so one may look after every signal, for ever,
//! and stop at will.
//! All is kept as logarithms: `E` soon leaves the range of `f64`, `ln E` never does.

use crate::value::{ValueError, check_range};

/// Chance of a wrong verdict that a rule may take, over the whole life of a canary.
///
/// Several rules that watch one canary share one chance: what they get must add up to it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Alpha(f64);

impl Alpha {
    /// What the [floor](super::floor) gets of 0.05 when a team sets nothing.
    pub const FLOOR: Self = Self(0.01);
    /// What the comparison with the [baseline](super::blocks) gets of 0.05 when a team sets nothing.
    pub const BASELINE: Self = Self(0.04);
    /// Chance of [promoting](super::promotion) early what should not be, when a team sets nothing.
    pub const PROMOTION: Self = Self(0.05);

    /// Smallest chance.
    pub const MINIMUM: f64 = 1e-9;
    /// Largest chance.
    pub const MAXIMUM: f64 = 0.5;

    /// Checks a chance.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not a number from 1e-9 to 0.5.
    pub fn parse(chance: f64) -> Result<Self, ValueError> {
        check_range("alpha", chance, Self::MINIMUM, Self::MAXIMUM, "").map(Self)
    }

    /// The chance, above 0 and at most 0.5.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// What a rule gets of a checked chance, which may be less than [`Self::MINIMUM`]; nothing if it
    /// is none, but for what rounding leaves.
    pub(crate) fn part_of(total: f64, chance: f64) -> Option<Self> {
        (chance > total * 1e-9).then_some(Self(chance.min(total)))
    }

    /// What each of `count` tests gets of it; all of it if there is but one, or none.
    #[must_use]
    pub fn shared_by(self, count: usize) -> Self {
        Self(self.0 / count.max(1) as f64)
    }

    /// `ln(1 / alpha)`: the evidence at which a rule speaks.
    #[must_use]
    pub fn limit(self) -> f64 {
        -self.0.ln()
    }
}

/// Parts that compare with different parameters do not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("evidence that was weighed with other parameters does not add up")]
pub struct OtherParameters;

/// What a sequential test has found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Natural logarithm of the evidence now.
    pub log_e: f64,
    /// The same at its highest since the canary began, at least 0.
    pub max_log_e: f64,
    /// Chance of a wrong verdict at which the test speaks.
    pub alpha: Alpha,
}

impl Reading {
    /// Looks at the evidence; `max_log_e` is the highest before this look, 0 before the first.
    #[must_use]
    pub const fn of(log_e: f64, max_log_e: f64, alpha: Alpha) -> Self {
        Self { log_e, max_log_e: max_log_e.max(log_e), alpha }
    }

    /// The anytime-valid p-value, 0 to 1: `min(1, 1 / max E)`.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        (-self.max_log_e).exp().min(1.0)
    }

    /// Whether the evidence has ever reached `1 / alpha`.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.max_log_e >= self.alpha.limit()
    }
}

/// `ln Σ w·e^L` over pairs of a weight `w`, at least 0, and a logarithm `L`.
///
/// Negative infinity if nothing is left of the sum.
pub fn log_mixture(terms: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let highest = terms.clone().fold(f64::NEG_INFINITY, |highest, (_, log)| highest.max(log));
    if highest.is_infinite() {
        return highest;
    }
    highest + terms.map(|(weight, log)| weight * (log - highest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_is_found_where_its_members_leave_the_range_of_floats() {
        let of = |terms: &[(f64, f64)]| log_mixture(terms.iter().copied());
        assert_eq!(of(&[(0.25, 0.0), (0.75, 0.0)]), 0.0);
        assert!((of(&[(0.5, 1e6), (0.5, -1e6)]) - (1e6 - 2_f64.ln())).abs() < 1e-9);
        assert_eq!(of(&[(1.0, f64::NEG_INFINITY)]), f64::NEG_INFINITY);
        assert_eq!(of(&[(0.5, f64::INFINITY), (0.5, 0.0)]), f64::INFINITY);
        assert_eq!(of(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn the_highest_evidence_counts() {
        let alpha = Alpha::parse(0.05).unwrap();
        let crossed = Reading::of(20_f64.ln(), 0.0, alpha);
        assert!(crossed.is_crossed());
        assert!((crossed.p_value() - 0.05).abs() < 1e-15);
        let later = Reading::of(-5.0, crossed.max_log_e, alpha);
        assert!(later.is_crossed(), "what was found stays found");
        assert_eq!(Reading::of(-5.0, 0.0, alpha).p_value(), 1.0);
    }

    #[test]
    fn a_chance_is_checked_and_shared() {
        for wrong in [0.0, 0.6, f64::NAN, -0.1] {
            assert!(Alpha::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Alpha::parse(0.04), Ok(Alpha::BASELINE));
        assert_eq!(Alpha::BASELINE.shared_by(4).get(), 0.01);
        assert_eq!(Alpha::BASELINE.shared_by(0), Alpha::BASELINE);
        assert_eq!(Alpha::part_of(1e-9, 2e-10).map(Alpha::get), Some(2e-10));
        assert_eq!(Alpha::part_of(0.04, 0.04 - 0.01 - 0.03), None, "what rounding leaves");
        assert_eq!(Alpha::part_of(0.04, -0.1), None);
    }
}
