//! Many rollouts of one kind, on all cores.

use std::sync::atomic::{AtomicU64, Ordering};

use canary_core::judge::blocks::open::Open;
use canary_core::judge::promotion::Promotion;
use canary_core::judge::sequential::Alpha;
use canary_core::rollout::Arm;

use super::path::{Paths, Random};
use super::rules::Rule;

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Out {
    pub(crate) is_rolled_back: bool,
    /// Failures of the canary until then, or until the end.
    pub(crate) canary_failures: u32,
}

/// The cells of all tables: each has random numbers of its own.
pub(crate) struct Cells {
    seed: u64,
    next: u64,
}

impl Cells {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// The number of the next cell.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Leaves out cells that were played by number.
    pub(crate) const fn skip(&mut self, count: u64) {
        self.next += count;
    }

    /// Plays the rollouts of the next cell.
    pub(crate) fn rollbacks<R: Rule>(
        &mut self,
        paths: &Paths,
        rollouts: u64,
        rule: impl Fn(u64) -> R + Sync,
    ) -> Vec<Out> {
        let cell = self.next;
        self.next += 1;
        self.rollbacks_at(cell, paths, rollouts, rule)
    }

    /// Plays the rollouts of a cell: the same paths for every rule.
    pub(crate) fn rollbacks_at<R: Rule>(
        &self,
        cell: u64,
        paths: &Paths,
        rollouts: u64,
        rule: impl Fn(u64) -> R + Sync,
    ) -> Vec<Out> {
        in_parallel(rollouts, |rollout| {
            let mut rule = rule(rollout);
            let mut canary_failures = 0;
            for signal in paths.play(Random::of(self.seed, cell, rollout)) {
                canary_failures += u32::from(signal.is_canary && signal.is_failed);
                if rule.rolls_back(signal) {
                    return Out { is_rolled_back: true, canary_failures };
                }
            }
            Out { is_rolled_back: false, canary_failures }
        })
    }

    /// At which signal each rollout of the next cell is promoted early, if it is.
    pub(crate) fn promotions(
        &mut self,
        paths: &Paths,
        rollouts: u64,
        acceptable: Option<f64>,
    ) -> Vec<Option<u32>> {
        let cell = self.next;
        self.next += 1;
        in_parallel(rollouts, |rollout| {
            let mut promotion = Promotion::new(Promotion::RHO, acceptable).unwrap();
            let (mut open, mut succeeded, mut failed) = (Open::default(), 0, 0);
            let limit = Alpha::PROMOTION.limit();
            for (signal, at) in paths.play(Random::of(self.seed, cell, rollout)).zip(1..) {
                if signal.is_new_band {
                    let ended = open.close();
                    promotion.observe(ended.as_ref(), succeeded, failed);
                }
                let arm = if signal.is_canary { Arm::Canary } else { Arm::Stable };
                succeeded += u64::from(signal.is_canary && !signal.is_failed);
                failed += u64::from(signal.is_canary && signal.is_failed);
                let step = open.observe(arm, signal.is_failed, None);
                if signal.is_canary || step.closed.is_some() {
                    promotion.observe(step.closed.as_ref(), succeeded, failed);
                    if promotion.max_log_e() >= limit {
                        return Some(at);
                    }
                }
            }
            None
        })
    }

    /// The seed and the number of the next cell, for rollouts of another kind.
    pub(crate) const fn take(&mut self) -> (u64, u64) {
        self.next += 1;
        (self.seed, self.next - 1)
    }
}

/// The results of all numbers below `count`, in their order, on all cores.
pub(crate) fn in_parallel<T: Send>(count: u64, play: impl Fn(u64) -> T + Sync) -> Vec<T> {
    const BATCH: u64 = 64;
    let next = AtomicU64::new(0);
    let work = || {
        let mut results = Vec::new();
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= count {
                return results;
            }
            results.extend((first..count.min(first + BATCH)).map(|number| (number, play(number))));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut results: Vec<(u64, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker has failed")).collect()
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
