//! Counts of runs, by outcome, arm and band.
//!
//! Sums saturate: counts that were read from somewhere cannot make them panic.

use super::Arm;
use crate::signal::Status;

/// Runs by their outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs that did what they should.
    pub success: u64,
    /// Runs that did not.
    pub failed: u64,
    /// Runs that say nothing about the version.
    pub neutral: u64,
}

impl Counts {
    /// Counts one run.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Success => self.success += 1,
            Status::Failed => self.failed += 1,
            Status::Neutral => self.neutral += 1,
        }
    }

    /// Runs that are judged: success and failed.
    #[must_use]
    pub const fn judged(&self) -> u64 {
        self.success.saturating_add(self.failed)
    }

    /// All runs.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.judged().saturating_add(self.neutral)
    }

    /// These runs and the others.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            success: self.success.saturating_add(other.success),
            failed: self.failed.saturating_add(other.failed),
            neutral: self.neutral.saturating_add(other.neutral),
        }
    }
}

/// Runs of both arms in one band.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BandCounts {
    /// Runs of the canary.
    pub canary: Counts,
    /// Runs of the stable version meanwhile.
    pub stable: Counts,
}

/// Runs of both arms band by band, and their sum, which every judged run asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bands {
    each: Vec<BandCounts>,
    total: BandCounts,
}

impl Bands {
    pub(super) fn of(each: Vec<BandCounts>) -> Self {
        let total = each.iter().fold(BandCounts::default(), |sum, band| BandCounts {
            canary: sum.canary.plus(&band.canary),
            stable: sum.stable.plus(&band.stable),
        });
        Self { each, total }
    }

    pub(super) fn each(&self) -> &[BandCounts] {
        &self.each
    }

    pub(super) const fn total(&self) -> &BandCounts {
        &self.total
    }

    /// Counts one run in the band at an index; a band that is not there counts nothing.
    pub(super) fn add(&mut self, index: usize, arm: Arm, status: Status) {
        let Some(band) = self.each.get_mut(index) else { return };
        for BandCounts { canary, stable } in [band, &mut self.total] {
            match arm {
                Arm::Canary => canary.add(status),
                Arm::Stable => stable.add(status),
            }
        }
    }
}
