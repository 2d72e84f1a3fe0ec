//! Worse than the baseline? A comparison of both versions, block by block.
//!
//! H0: in every stretch of time the canary's odds of failing are at most `rho0` times the
//! baseline's.
//!
//! # Formula
//!
//! An [open block](open::Open) collects runs of both arms in the order they arrive, and closes
//! when it has at least 10 and both arms are among them. Closed with `n_c` runs of the canary of
//! which `f_c` failed, `n_b` of the baseline of which `f_b` failed, and `F = f_c + f_b`, it adds
//! to the sum of each odds ratio `o_g`
//!
//! ```text
//! L_g += f_c · ln(o_g / rho0) − ln Z(o_g) + ln Z(rho0),   Z(o) = Σ_k C(n_c, k) · C(n_b, F − k) · o^k
//! E    = Σ w_g · e^(L_g),   o = (1.6, 2.5, 5, 15, 100) · rho0,   w = (3, 3, 3, 2, 1) / 12
//! ```
//!
//! Given who ran and how many failed, `f_c` has [Fisher's law](super::hypergeometric) with the true
//! odds ratio, whatever the failure rate of that block is. So each factor has an expectation of at
//! most 1 while H0 holds, blocks multiply, and by Ville's inequality the chance that `E` ever
//! reaches `1 / alpha` is at most `alpha`: at any failure rate, with any routing, without a horizon,
//! and under a drift that hits both versions. The idea of e-values for 2×2 tables in blocks is that
//! of [Turner, Ly & Grünwald 2024](https://doi.org/10.1016/j.jspi.2023.106116); here the block is
//! conditioned on its failures, so that no failure rate has to be guessed.
//!
//! # What it does not promise
//!
//! * Inside one block the rates do not move, and no version reports its failures sooner than its
//!   successes compared with the other.
//! * A version that never reports is not found, and where everybody gets the canary there is
//!   nothing to compare it with: no block closes then.
//! * Runs are independent given the rates. Where one fault is reported again and again, name the
//!   instances: see [`open`].
//!
//! # Several parts
//!
//! Each part of a system can count its own runs in its own [`Blocks`]. What they have
//! [closed](Closed) adds up, exactly and in any order. An open block stays with who fills it: two
//! of them are never joined, because their runs need not be of one stretch of time. The runs of a
//! part that ends are lost with its open block, nine at most while both versions run; that choice
//! does not look at their outcomes, so it costs time and no promise.
//!
//! The verdict is taken in one place, on the sum: the highest evidence of a part alone says
//! nothing, since each part looked on its own would be one more chance of a false alarm.
//!
//! # Example
//!
//! ```
//! use canary_core::judge::blocks::Blocks;
//! use canary_core::judge::sequential::Alpha;
//! use canary_core::rollout::Arm;
//!
//! let mut blocks = Blocks::new(1.0)?;
//! for run in 0..40 {
//!     let arm = if run % 5 == 0 { Arm::Canary } else { Arm::Stable };
//!     blocks.observe(arm, arm == Arm::Canary, None);
//! }
//! // Eight of eight runs of the canary failed, and none of 32 of the baseline.
//! let reading = blocks.reading(Alpha::BASELINE);
//! assert!(reading.is_crossed() && reading.p_value() < 0.001);
//! # Ok::<(), canary_core::value::ValueError>(())
//! ```

pub mod codec;
mod names;
pub mod open;
pub mod sums;

use self::names::Names;
use self::open::{Block, Open, Step};
use self::sums::Sums;
use super::sequential::{Alpha, OtherParameters, Reading};
use crate::rollout::Arm;
use crate::value::{ValueError, check_range};

/// The odds ratios under which the runs are weighed, as multiples of `rho0`.
pub const ODDS: [f64; 5] = [1.6, 2.5, 5.0, 15.0, 100.0];

/// The weights of [`ODDS`]: most for what is a little worse, since that takes longest to find.
pub const WEIGHTS: [f64; 5] = [3.0 / 12.0, 3.0 / 12.0, 3.0 / 12.0, 2.0 / 12.0, 1.0 / 12.0];

/// The evidence of all blocks that were closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closed {
    rho0: f64,
    sums: Sums<5>,
}

impl Closed {
    /// No evidence yet, for a highest odds ratio that is fine.
    ///
    /// # Errors
    ///
    /// As [`Blocks::new`].
    pub fn new(rho0: f64) -> Result<Self, ValueError> {
        let rho0 = check_range("rho0", rho0, Blocks::LOWEST_RHO0, Blocks::HIGHEST_RHO0, "")?;
        Ok(Self { rho0, sums: Sums::default() })
    }

    /// The highest ratio of the canary's odds of failing to the baseline's that is fine.
    #[must_use]
    pub const fn rho0(&self) -> f64 {
        self.rho0
    }

    /// Adds one block; whether it said anything.
    pub fn add(&mut self, block: &Block) -> bool {
        self.sums.add(block, &ODDS.map(|odds| odds * self.rho0), self.rho0)
    }

    /// Adds the evidence of another part: exact, the same to the bit in every order.
    ///
    /// # Errors
    ///
    /// [`OtherParameters`] if the other part compares with another odds ratio; nothing has changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherParameters> {
        if self.rho0.to_bits() != other.rho0.to_bits() {
            return Err(OtherParameters);
        }
        self.sums.merge(&other.sums);
        Ok(())
    }

    /// `ln E`; 0 while there is no evidence.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        self.sums.log_e(&WEIGHTS)
    }

    /// The sum of each odds ratio of [`ODDS`].
    #[must_use]
    pub fn logs(&self) -> [f64; 5] {
        self.sums.logs()
    }
}

/// The comparison with the baseline, signal by signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    closed: Closed,
    open: Open,
    names: Names,
    max_log_e: f64,
}

impl Default for Blocks {
    /// Not worse than the baseline.
    fn default() -> Self {
        Self {
            closed: Closed { rho0: 1.0, sums: Sums::default() },
            open: Open::default(),
            names: Names::default(),
            max_log_e: 0.0,
        }
    }
}

impl Blocks {
    /// The lowest `rho0`.
    pub const LOWEST_RHO0: f64 = 0.01;
    /// The highest `rho0`.
    pub const HIGHEST_RHO0: f64 = 100.0;

    /// Nothing seen yet; `rho0` is the highest ratio of the canary's odds of failing to the
    /// baseline's that is fine: 1 for "not worse", 2 for "not worse than about twice".
    ///
    /// # Errors
    ///
    /// [`ValueError`] if `rho0` is not a number from 0.01 to 100.
    pub fn new(rho0: f64) -> Result<Self, ValueError> {
        Ok(Self { closed: Closed::new(rho0)?, ..Self::default() })
    }

    /// Takes in one judged run; see [`Open::observe`] for `instance`.
    ///
    /// Where every run so far, of both arms, was of one instance, its name tells nothing apart: a
    /// pipeline that runs each morning. From the second block on each of its runs counts, until
    /// another instance is seen. That choice looks at names alone, never at how a run ended.
    ///
    /// The answer tells whether it counted, and the block that it closed: that is what the other
    /// rules that work on blocks are to be given.
    pub fn observe(&mut self, arm: Arm, is_failed: bool, instance: Option<u64>) -> Step {
        let instance = instance.filter(|instance| self.names.tell_apart(*instance));
        let step = self.open.observe(arm, is_failed, instance);
        if let Some(block) = &step.closed {
            self.names.end_block();
            self.take(block);
        }
        step
    }

    /// Ends the open block because the canary's share has changed; the block, if it has both arms.
    ///
    /// Without one of them it is dropped.
    pub fn close_at_share_change(&mut self) -> Option<Block> {
        let block = self.open.close()?;
        self.take(&block);
        Some(block)
    }

    /// Goes on where another part has ended: adds what it had closed.
    ///
    /// # Errors
    ///
    /// [`OtherParameters`] if the other part compares with another odds ratio; nothing has changed.
    pub fn take_over(&mut self, other: &Closed) -> Result<(), OtherParameters> {
        self.closed.merge(other)?;
        self.max_log_e = self.max_log_e.max(self.closed.log_e());
        Ok(())
    }

    /// The evidence of the closed blocks, to be added to that of other parts.
    #[must_use]
    pub const fn closed(&self) -> &Closed {
        &self.closed
    }

    /// The block that is being filled.
    #[must_use]
    pub const fn open(&self) -> &Open {
        &self.open
    }

    /// Nothing closed yet, and this open block.
    pub(super) fn of_open(open: Open) -> Self {
        Self { open, ..Self::default() }
    }

    /// The open block alone.
    pub(super) fn into_open(self) -> Open {
        self.open
    }

    /// The highest evidence at any look, `ln E`, at least 0.
    #[must_use]
    pub const fn max_log_e(&self) -> f64 {
        self.max_log_e
    }

    /// What was found so far.
    #[must_use]
    pub fn reading(&self, alpha: Alpha) -> Reading {
        Reading::of(self.closed.log_e(), self.max_log_e, alpha)
    }

    fn take(&mut self, block: &Block) {
        // Most blocks set no record, and a bound that costs little shows it.
        if self.closed.add(block) && self.closed.sums.bound() > self.max_log_e {
            self.max_log_e = self.max_log_e.max(self.closed.log_e());
        }
    }
}

#[cfg(test)]
mod tests;
