//! Good enough to promote early?
//!
//! H0, what must not be promoted: the canary's odds of failing are at least `rho` times the
//! baseline's, **and** its failure rate is at least `q`, which the operator calls acceptable.
//!
//! # Formula
//!
//! Two halves, of which either can refute H0:
//!
//! ```text
//! relative, per block:   P_g += f_c · ln(o_g / rho) − ln Z(o_g) + ln Z(rho)
//!                        o = (0.25, 0.6, 1, 1.4), w = (1, 2, 6, 3) / 12
//! service level, canary: S_j = failed · ln(p_j / q) + succeeded · ln((1 − p_j) / (1 − q))
//!                        p = (0.02, 0.1, 0.25, 0.5, 0.75) · q, equal weights
//! E = ½ Σ w_g · e^(P_g) + ½ Σ e^(S_j) / 5
//! ```
//!
//! with blocks and `Z` as in [`blocks`](super::blocks). The service level looks at every run of the
//! canary and needs no baseline. Without `q` there is only the relative half, with all the weight.
//!
//! The two halves move at different times, and a mixture of them is sound only where both have just
//! been settled: when a block closes. Between two blocks the service level is looked at with its own
//! half of the weight.
//!
//! # What it does not promise
//!
//! * With a `q`, a canary that is five times worse than a very good baseline and still inside `q`
//!   may be promoted. That is what an acceptable failure rate means.
//! * Promote only if the rule against the canary has not spoken first.

pub mod codec;
mod service;

pub use self::service::Service;
use super::blocks::open::Block;
use super::blocks::sums::Sums;
use super::sequential::{Alpha, OtherParameters, Reading, log_mixture};
use crate::value::{ValueError, check_range};

/// The odds ratios under which the runs are weighed.
pub const ODDS: [f64; 4] = [0.25, 0.6, 1.0, 1.4];

/// The weights of [`ODDS`]: most for a canary that is as good as the baseline.
pub const WEIGHTS: [f64; 4] = [1.0 / 12.0, 2.0 / 12.0, 6.0 / 12.0, 3.0 / 12.0];

/// The evidence of each half by itself, as `ln E`, before it gets its half of the weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halves {
    /// Against odds of failing that are `rho` times the baseline's.
    pub relative: f64,
    /// Against a failure rate of `q`; nothing without a `q`: then the other has all the weight.
    pub service: Option<f64>,
}

impl Halves {
    /// `ln E` of both.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        match self.service {
            None => self.relative,
            Some(service) => log_mixture([(0.5, self.relative), (0.5, service)].into_iter()),
        }
    }
}

/// What speaks for a canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    rho: f64,
    relative: Sums<4>,
    service: Option<Service>,
    max_log_e: f64,
}

impl Promotion {
    /// The odds ratio that must not be promoted when a team sets nothing.
    pub const RHO: f64 = 2.0;
    /// The lowest `rho`: just above the highest of [`ODDS`].
    pub const LOWEST_RHO: f64 = 1.5;
    /// The highest `rho`.
    pub const HIGHEST_RHO: f64 = 100.0;

    /// Nothing seen yet; `acceptable` is the failure rate `q`, between 0 and 1, or nothing.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if `rho` is not a number from 1.5 to 100, or `acceptable` none from 0.000001
    /// to 0.999999.
    pub fn new(rho: f64, acceptable: Option<f64>) -> Result<Self, ValueError> {
        let rho = check_range("rho", rho, Self::LOWEST_RHO, Self::HIGHEST_RHO, "")?;
        let service = acceptable.map(Service::new).transpose()?;
        Ok(Self { rho, relative: Sums::default(), service, max_log_e: 0.0 })
    }

    /// The odds ratio that must not be promoted.
    #[must_use]
    pub const fn rho(&self) -> f64 {
        self.rho
    }

    /// The failure rate that is acceptable, if one was given.
    #[must_use]
    pub fn acceptable(&self) -> Option<f64> {
        self.service.as_ref().map(Service::acceptable)
    }

    /// Looks at a run of either version that was just judged.
    ///
    /// `closed` is the block that it closed, if any; `succeeded` and `failed` are all runs of the
    /// canary with it.
    pub fn observe(&mut self, closed: Option<&Block>, succeeded: u64, failed: u64) {
        if let Some(block) = closed {
            self.relative.add(block, &ODDS, self.rho);
            self.max_log_e = self.max_log_e.max(self.log_e(succeeded, failed));
        } else if let Some(service) = &self.service {
            let half = 0.5_f64.ln();
            // Most runs set no record, and a bound that costs next to nothing shows it.
            if half + service.bound(succeeded, failed) > self.max_log_e {
                self.max_log_e = self.max_log_e.max(half + service.log_e(succeeded, failed));
            }
        }
    }

    /// Adds the blocks of another part: exact, the same to the bit in every order.
    ///
    /// The next block that closes is the next look; the highest evidence of the other part does
    /// not count.
    ///
    /// # Errors
    ///
    /// [`OtherParameters`] if they have another `rho`; nothing has changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherParameters> {
        if self.rho.to_bits() != other.rho.to_bits() {
            return Err(OtherParameters);
        }
        self.relative.merge(&other.relative);
        Ok(())
    }

    /// The evidence of each half, for all closed blocks and these runs of the canary.
    #[must_use]
    pub fn halves(&self, succeeded: u64, failed: u64) -> Halves {
        Halves {
            relative: self.relative.log_e(&WEIGHTS),
            service: self.service.as_ref().map(|service| service.log_e(succeeded, failed)),
        }
    }

    /// `ln E` for all closed blocks and these runs of the canary.
    #[must_use]
    pub fn log_e(&self, succeeded: u64, failed: u64) -> f64 {
        self.halves(succeeded, failed).log_e()
    }

    /// The highest evidence at any look, `ln E`, at least 0; from `ln(1 / beta)` on, promote.
    #[must_use]
    pub const fn max_log_e(&self) -> f64 {
        self.max_log_e
    }

    /// What was found so far, given all runs of the canary; crossed means promote.
    #[must_use]
    pub fn reading(&self, beta: Alpha, succeeded: u64, failed: u64) -> Reading {
        // What it is now may be higher than what may be looked at between two blocks.
        let log_e = self.log_e(succeeded, failed);
        Reading { log_e, max_log_e: self.max_log_e, alpha: beta }
    }

    /// The sum of each odds ratio of [`ODDS`].
    #[must_use]
    pub fn logs(&self) -> [f64; 4] {
        self.relative.logs()
    }
}

#[cfg(test)]
mod tests;
