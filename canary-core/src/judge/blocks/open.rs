//! The open block: runs of both arms in the order they arrive, until there are enough of them.
//!
//! When it closes, and which runs count in it, follows from who ran alone and never from how a run
//! ended. That is what keeps the comparison exact.
//!
//! # Retries of one fault
//!
//! A fault that one instance meets again and again is one fault. Where instances are named, each
//! counts once per block and arm: its first run. The others only bring the end of the block nearer.
//!
//! To count its first success *and* its first failure would look at outcomes, and be wrong: of a
//! version that runs more often per instance than the other, most successes would vanish and few
//! failures, and a good canary with a share of 80 % would be found four times as bad as it is.
//!
//! The price is power where few instances run often: two instances fill a block with two runs that
//! count. Leave the instances out where runs of one instance are independent of each other.
//!
//! Where *all* runs, of both versions, are of one instance, its name tells nothing apart: a pipeline
//! that runs each morning. There [`Blocks`](super::Blocks::observe) leaves the name out from the
//! second block on, so that each run counts, until another instance is seen; from then on each counts
//! once again. Names decide that and outcomes never do, so the comparison stays exact. But there is
//! no telling a retry from a run any more: of a single instance, retries of one fault count as often
//! as they are reported.
//!
//! A block remembers 64 instances of an arm. Named instances beyond do not count until it closes,
//! which happens only where the other arm stays away for that long.

use crate::rollout::Arm;

/// Runs of one arm in a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Runs {
    /// Runs that count.
    pub runs: u64,
    /// Those of them that failed.
    pub failed: u64,
}

/// A block that was closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// Runs of the canary.
    pub canary: Runs,
    /// Runs of the baseline.
    pub baseline: Runs,
}

impl Block {
    /// Whether both arms have runs.
    #[must_use]
    pub const fn has_both(&self) -> bool {
        self.canary.runs > 0 && self.baseline.runs > 0
    }
}

/// What one run did to the open block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whether the run counts; not if its instance has counted in this block before.
    pub is_counted: bool,
    /// The block that it closed, if it did.
    pub closed: Option<Block>,
}

/// A block that is being filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub(super) size: u64,
    pub(super) counts: Block,
    /// Runs that do not count.
    pub(super) repeats: u64,
    /// The instances that have counted, by arm.
    pub(super) seen: Vec<u64>,
}

impl Default for Open {
    fn default() -> Self {
        Self::of_size(Self::SIZE)
    }
}

impl Open {
    /// Runs after which a block closes, unless one arm is still missing.
    pub const SIZE: u64 = 10;

    /// Most instances of an arm that a block remembers.
    pub const REMEMBERED: u64 = 64;

    /// A block that closes at `size` runs, at least 2; [`Self::SIZE`] is the usual one.
    #[must_use]
    pub const fn of_size(size: u64) -> Self {
        let size = if size < 2 { 2 } else { size };
        let none = Runs { runs: 0, failed: 0 };
        Self { size, counts: Block { canary: none, baseline: none }, repeats: 0, seen: Vec::new() }
    }

    /// What has been counted so far.
    #[must_use]
    pub const fn counts(&self) -> &Block {
        &self.counts
    }

    /// Takes in one run.
    ///
    /// `instance` is a hash of who ran it, the same in every process and over restarts; nothing if
    /// each run counts.
    pub fn observe(&mut self, arm: Arm, is_failed: bool, instance: Option<u64>) -> Step {
        let is_counted = instance.is_none_or(|instance| self.remember(arm, instance));
        if is_counted {
            let runs = match arm {
                Arm::Canary => &mut self.counts.canary,
                Arm::Stable => &mut self.counts.baseline,
            };
            runs.runs = runs.runs.saturating_add(1);
            runs.failed += u64::from(is_failed);
        } else {
            self.repeats = self.repeats.saturating_add(1);
        }
        Step { is_counted, closed: if self.is_full() { self.close() } else { None } }
    }

    /// Ends the block and begins the next; nothing comes of a block without one of the arms.
    pub fn close(&mut self) -> Option<Block> {
        self.repeats = 0;
        self.seen.clear();
        Some(std::mem::take(&mut self.counts)).filter(Block::has_both)
    }

    /// Whether the block has enough runs, and both arms.
    pub(super) const fn is_full(&self) -> bool {
        let Block { canary, baseline } = &self.counts;
        let runs = canary.runs.saturating_add(baseline.runs).saturating_add(self.repeats);
        runs >= self.size && self.counts.has_both()
    }

    /// Whether the instance has not counted yet in this arm; from now on it has.
    fn remember(&mut self, arm: Arm, instance: u64) -> bool {
        let (key, runs) = match arm {
            Arm::Canary => (instance, self.counts.canary.runs),
            Arm::Stable => (!instance, self.counts.baseline.runs),
        };
        let is_new = runs < Self::REMEMBERED && !self.seen.contains(&key);
        if is_new {
            self.seen.push(key);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(open: &mut Open, runs: impl IntoIterator<Item = (Arm, bool)>) -> Vec<Block> {
        runs.into_iter()
            .filter_map(|(arm, failed)| open.observe(arm, failed, None).closed)
            .collect()
    }

    fn runs(canary: (u64, u64), baseline: (u64, u64)) -> Block {
        Block {
            canary: Runs { runs: canary.0, failed: canary.1 },
            baseline: Runs { runs: baseline.0, failed: baseline.1 },
        }
    }

    #[test]
    fn a_block_closes_with_ten_runs_of_both_arms() {
        let mut open = Open::default();
        let mixed = (0..10).map(|run| (if run < 2 { Arm::Canary } else { Arm::Stable }, run == 1));
        assert_eq!(fill(&mut open, mixed), [runs((2, 1), (8, 0))]);
        assert_eq!(open, Open::default());
    }

    #[test]
    fn a_block_waits_for_the_arm_that_is_missing() {
        let mut open = Open::default();
        assert_eq!(fill(&mut open, (0..1_000).map(|run| (Arm::Stable, run % 100 == 0))), []);
        assert_eq!(fill(&mut open, [(Arm::Canary, true)]), [runs((1, 1), (1_000, 10))]);
    }

    #[test]
    fn a_change_of_share_ends_a_block_and_drops_it_without_one_of_the_arms() {
        let mut open = Open::default();
        fill(&mut open, [(Arm::Canary, true), (Arm::Stable, false)]);
        assert_eq!(open.close(), Some(runs((1, 1), (1, 0))));
        fill(&mut open, [(Arm::Canary, true)]);
        assert_eq!(open.close(), None);
        assert_eq!(open, Open::default());
    }

    #[test]
    fn retries_of_one_fault_are_one_failure() {
        let mut open = Open::default();
        assert!(open.observe(Arm::Stable, false, Some(1)).is_counted);
        for retry in 0..8 {
            let step = open.observe(Arm::Canary, true, Some(7));
            assert_eq!(step, Step { is_counted: retry == 0, closed: None });
        }
        // The tenth run, of the same instance with the other version, counts and closes.
        let step = open.observe(Arm::Stable, true, Some(7));
        assert_eq!(step, Step { is_counted: true, closed: Some(runs((1, 1), (2, 1))) });
        assert!(open.observe(Arm::Canary, true, Some(7)).is_counted, "a new block, a new count");
    }

    #[test]
    fn the_memory_for_instances_is_bounded_and_the_missing_arm_still_counts() {
        let mut open = Open::default();
        let counted =
            (0..1_000).filter(|name| open.observe(Arm::Stable, false, Some(*name)).is_counted);
        assert_eq!(counted.count() as u64, Open::REMEMBERED);
        assert_eq!(open.seen.len() as u64, Open::REMEMBERED);
        let step = open.observe(Arm::Canary, true, Some(3));
        assert_eq!(step.closed, Some(runs((1, 1), (64, 0))));
    }
}
