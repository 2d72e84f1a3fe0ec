//! The lineup: the versions of one product that are in play, and every way they change.
//!
//! All that can happen to a product goes through four methods: [`Lineup::register`],
//! [`Lineup::observe`], [`Lineup::tick`] and [`Lineup::act`].
//! Each takes the time as an argument and writes what it did into [`Effects`]: the releases that
//! changed and the decisions that tell why.
//! [`Lineup::select`] is a read: it changes nothing but the note of what was handed out.

mod act;
mod follow;
mod register;

use std::sync::Arc as Shared;

pub use self::act::{ActionError, Request};
pub use self::register::RegisterError;

use crate::decision::Decision;
use crate::judge::rules::Run;
use crate::policy::ReportWithin;
use crate::release::{Release, ReleaseId};
use crate::rollout::{Arm, JudgedReading, Rollout};
use crate::select::awaited::WITHIN_S;
use crate::select::quota::Outstanding;
use crate::select::{Asker, Choice, Reason, quota, sticky};
use crate::time::Timestamp;

/// A canary that is on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The canary.
    pub release: Shared<Release>,
    /// What was seen of it.
    pub rollout: Rollout,
}

/// The versions of one product that are in play.
///
/// A clone is cheap: releases are shared, and only counts are copied.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineup {
    stable: Option<Shared<Release>>,
    stable_was_seen: bool,
    open: Option<Open>,
    /// Why the stable version is the answer while no canary is open.
    settled: Reason,
}

impl Default for Lineup {
    fn default() -> Self {
        Self { stable: None, stable_was_seen: false, open: None, settled: Reason::OnlyStable }
    }
}

/// What a step did, to be stored with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    /// Releases as they are now; of several entries for one, the last holds.
    pub releases: Vec<Shared<Release>>,
    /// Rollouts of the canaries that ended, as they were last seen.
    pub ended: Vec<(ReleaseId, Rollout)>,
    /// Why, in the order it happened.
    pub decisions: Vec<Decision>,
}

/// A version that was chosen, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection<'a> {
    /// The release to run.
    pub release: &'a Shared<Release>,
    /// The band of the open canary, counted from 1; nothing while none is open or it has not begun.
    pub band: Option<u16>,
    /// Why this version.
    pub reason: Reason,
}

impl Lineup {
    /// Puts together what was stored.
    ///
    /// `stable_was_seen` says whether a run of the stable version was ever reported, `settled` why
    /// it is the answer while no canary is open.
    #[must_use]
    pub const fn from_parts(
        stable: Option<Shared<Release>>,
        stable_was_seen: bool,
        open: Option<Open>,
        settled: Reason,
    ) -> Self {
        Self { stable, stable_was_seen, open, settled }
    }

    /// The version that everybody gets who does not get the canary.
    #[must_use]
    pub const fn stable(&self) -> Option<&Shared<Release>> {
        self.stable.as_ref()
    }

    /// The canary that is on its way.
    #[must_use]
    pub const fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Why the stable version is the answer while no canary is open.
    #[must_use]
    pub const fn settled(&self) -> Reason {
        self.settled
    }

    /// Chooses the version for one who asks; `None` if the product has no active release.
    pub fn select(
        &self,
        asker: Asker<'_>,
        outstanding: &mut Outstanding,
        now: Timestamp,
    ) -> Option<Selection<'_>> {
        let Some(Open { release: canary, rollout }) = &self.open else {
            let release = self.stable.as_ref()?;
            return Some(Selection { release, band: None, reason: self.settled });
        };
        let band = Some(rollout.schedule().band_at(now)).filter(|band| *band > 0);
        let within = canary.policy.report_within.map_or(WITHIN_S, ReportWithin::seconds);
        outstanding.awaited.set_within(within);
        let awaits_instances = canary.policy.report_within.is_some() && band.is_some();
        let Some(stable) = &self.stable else {
            match asker {
                Asker::Run(run) => quota::note_only_canary(outstanding, run, now),
                Asker::Instance(instance) if awaits_instances => {
                    outstanding.awaited.hand_out_to(instance.key(), Arm::Canary, now);
                }
                Asker::Instance(_) => {}
            }
            return Some(Selection { release: canary, band, reason: Reason::OnlyCanary });
        };
        let choice = if rollout.schedule().paused_at().is_some() {
            Choice::stable(Reason::Paused)
        } else {
            match asker {
                Asker::Instance(instance) => {
                    let choice = sticky::choose(canary.id, instance, rollout.share_at(now));
                    if awaits_instances {
                        outstanding.awaited.hand_out_to(instance.key(), choice.arm, now);
                    }
                    choice
                }
                Asker::Run(run) => quota::choose(rollout, outstanding, run, now),
            }
        };
        let release = match choice.arm {
            Arm::Canary => canary,
            Arm::Stable => stable,
        };
        Some(Selection { release, band, reason: choice.reason })
    }

    /// Which arm of the open canary's comparison a release is, if any.
    #[must_use]
    pub fn arm(&self, release: ReleaseId) -> Option<Arm> {
        let open = self.open.as_ref()?;
        if open.release.id == release {
            Some(Arm::Canary)
        } else {
            self.stable.as_ref().filter(|stable| stable.id == release).map(|_| Arm::Stable)
        }
    }

    /// When time alone changes something next after `now`.
    ///
    /// What is already due is due `now`.
    #[must_use]
    pub fn next_change_at(&self, now: Timestamp) -> Option<Timestamp> {
        let rollout = &self.open.as_ref()?.rollout;
        let schedule = rollout.schedule();
        if schedule.is_over(now) {
            return (!rollout.is_held()).then_some(now);
        }
        schedule.next_change_at(now)
    }

    /// Counts one run of a release, and does what follows; the band it was counted in, if any.
    ///
    /// What was due before it comes before it.
    pub fn observe<'a>(
        &mut self,
        release: ReleaseId,
        run: impl Into<Run<'a>>,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Option<u16> {
        self.tick(now, effects);
        if self.stable.as_ref().is_some_and(|stable| stable.id == release) {
            self.stable_was_seen = true;
        }
        let arm = self.arm(release)?;
        let Open { release: canary, rollout } = self.open.as_mut()?;
        let band = rollout.schedule().band_at(now).max(1);
        if let Some(consequence) = rollout.observe(arm, &run.into(), canary, now) {
            self.follow(consequence, now, effects);
        }
        Some(band)
    }

    /// Takes in a reading of a type that the open canary's policy judges, measured with one of the
    /// two versions, and does what follows.
    pub fn observe_reading(
        &mut self,
        arm: Arm,
        reading: &JudgedReading<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.tick(now, effects);
        let Some(Open { release, rollout }) = &mut self.open else { return };
        if let Some(consequence) = rollout.observe_reading(arm, reading, release, now) {
            self.follow(consequence, now, effects);
        }
    }

    /// Takes in answers that were handed out and not reported in time, and does what follows.
    pub fn observe_unreported(
        &mut self,
        arm: Arm,
        answers: u64,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.tick(now, effects);
        let Some(Open { release, rollout }) = &mut self.open else { return };
        if let Some(consequence) = rollout.observe_unreported(arm, answers, release, now) {
            self.follow(consequence, now, effects);
        }
    }

    /// Does what time alone brings about; called again at the same time it does nothing.
    pub fn tick(&mut self, now: Timestamp, effects: &mut Effects) {
        let Some(Open { release, rollout }) = &mut self.open else { return };
        if let Some(consequence) = rollout.tick(release, now) {
            self.follow(consequence, now, effects);
        }
    }
}

#[cfg(test)]
mod tests;
