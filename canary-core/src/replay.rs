//! Replay: what would a policy have done with the runs of the past?
//!
//! The runs are gone through in the order and at the times at which they arrived, with the very
//! steps that a live canary takes; nothing else decides here.
//!
//! # What it does not show
//!
//! The runs are those that were. A canary that would have widened later would have had fewer of
//! them, one that was rolled back has none after, and what would have become of those cannot be
//! told.
//!
//! # Example
//!
//! ```
//! use canary_core::policy::Policy;
//! use canary_core::release::{BandCount, CanaryPeriod, Threshold};
//! use canary_core::replay::{Plan, Replay};
//! use canary_core::rollout::Arm;
//! use canary_core::signal::Status;
//! use canary_core::time::Timestamp;
//! use canary_core::version::Version;
//!
//! let at = |second: i64| Timestamp::from_seconds(1_700_000_000 + second);
//! let mut replay = Replay::new(Plan {
//!     stable: Version::parse("1.3.0")?,
//!     canary: Version::parse("1.4.0")?,
//!     threshold: Threshold::parse(80.0)?,
//!     canary_period: CanaryPeriod::parse(1.0)?,
//!     band_count: BandCount::parse(5)?,
//!     begins_at: at(0),
//!     policy: Policy::default(),
//! });
//! for second in 0..600 {
//!     replay.observe(Arm::Stable, Status::Success, at(second));
//!     replay.observe(Arm::Canary, Status::Failed, at(second));
//! }
//! let outcome = replay.finish();
//! let end = outcome.end.unwrap();
//! assert!(end.sentence.starts_with("rolled back 1.4.0: 4 of 4 runs failed"));
//! assert_eq!((outcome.suffered, outcome.canary.failed), (4, 600));
//! # Ok::<(), canary_core::value::ValueError>(())
//! ```

use crate::decision::{Action, Decision};
use crate::judge::rules::{Before, Run};
use crate::lineup::{Effects, Lineup};
use crate::policy::Policy;
use crate::product::ProductId;
use crate::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
use crate::rollout::{Arm, Counts};
use crate::signal::Status;
use crate::time::Timestamp;
use crate::version::Version;

/// The canary that is to be replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The version it is compared with.
    pub stable: Version,
    /// The version under test.
    pub canary: Version,
    /// Lowest acceptable success rate.
    pub threshold: Threshold,
    /// How long it is watched.
    pub canary_period: CanaryPeriod,
    /// In how many steps it widens.
    pub band_count: BandCount,
    /// When its first band begins.
    pub begins_at: Timestamp,
    /// How it is judged.
    pub policy: Policy,
}

/// A canary that is gone through again.
#[derive(Debug, Clone)]
pub struct Replay {
    lineup: Lineup,
    /// Up to when time has passed.
    now: Timestamp,
    outcome: Outcome,
}

/// What would have happened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// What would have been decided about the canary, in order.
    pub decisions: Vec<Decision>,
    /// The decision that would have ended it; nothing if it would still be a canary.
    pub end: Option<Decision>,
    /// Runs of both versions up to the end, the last one with it.
    pub runs: u64,
    /// Runs of the canary that would have failed before its end.
    pub suffered: u64,
    /// All runs of the canary that were given, before its end and after.
    pub canary: Counts,
    /// All runs of the stable version that were given.
    pub stable: Counts,
}

const STABLE: ReleaseId = ReleaseId::from_bytes([1; 16]);
const CANARY: ReleaseId = ReleaseId::from_bytes([2; 16]);

impl Replay {
    /// Nothing seen yet, nor is it known what the stable version measured before: limits of
    /// measurements are learned from its runs beside the canary.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self::knowing(plan, &Before::default())
    }

    /// Nothing seen yet; `before` is what the stable version had measured when the canary was
    /// registered, which limits of measurements are taken from.
    #[must_use]
    pub fn knowing(plan: Plan, before: &Before) -> Self {
        let release = |id, version, state: State| Release {
            id,
            product: ProductId::from_bytes([0; 16]),
            version,
            state,
            is_canary: state.is_open(),
            threshold: plan.threshold,
            canary_period: plan.canary_period,
            band_count: plan.band_count,
            release_date: plan.begins_at,
            registered_at: plan.begins_at,
            policy: plan.policy.clone(),
        };
        let stable = release(STABLE, plan.stable, State::Stable);
        let canary = release(CANARY, plan.canary, State::Running);
        let now = plan.begins_at;
        let mut replay = Self { lineup: Lineup::default(), now, outcome: Outcome::default() };
        let mut effects = Effects::default();
        for release in [stable, canary] {
            // Only a canary whose policy lets no other in refuses one, and there is none yet.
            let _ = replay.lineup.register(release, before, now, &mut effects);
        }
        replay.note(effects);
        replay
    }

    /// Takes in one run that arrived `at` a time; times must not go back.
    pub fn observe<'a>(&mut self, arm: Arm, run: impl Into<Run<'a>>, at: Timestamp) {
        let run = run.into();
        let (release, counts) = match arm {
            Arm::Canary => (CANARY, &mut self.outcome.canary),
            Arm::Stable => (STABLE, &mut self.outcome.stable),
        };
        counts.add(run.status);
        if self.outcome.end.is_some() {
            return;
        }
        let failed = u64::from(arm == Arm::Canary && run.status == Status::Failed);
        self.pass(at);
        if self.lineup.open().is_some() {
            let mut effects = Effects::default();
            self.outcome.runs += 1;
            self.outcome.suffered += failed;
            self.lineup.observe(release, run, at, &mut effects);
            self.note(effects);
        }
    }

    /// Does what time brings about up to `at`, each thing when it is due.
    pub fn pass(&mut self, at: Timestamp) {
        let mut effects = Effects::default();
        while let Some(due) = self.lineup.next_change_at(self.now).filter(|due| *due <= at) {
            self.lineup.tick(due, &mut effects);
            self.now = due;
        }
        self.now = self.now.max(at);
        self.note(effects);
    }

    /// The rollout as it is; nothing once it has ended.
    #[must_use]
    pub fn lineup(&self) -> &Lineup {
        &self.lineup
    }

    /// What would have happened.
    #[must_use]
    pub fn finish(self) -> Outcome {
        self.outcome
    }

    fn note(&mut self, effects: Effects) {
        let of_canary = effects.decisions.into_iter().filter(|decision| decision.release == CANARY);
        for decision in of_canary {
            if matches!(decision.action, Action::Promote | Action::Rollback) {
                self.outcome.end = Some(decision.clone());
            }
            self.outcome.decisions.push(decision);
        }
    }
}

#[cfg(test)]
mod tests;
