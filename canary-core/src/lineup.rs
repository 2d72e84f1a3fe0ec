//! The lineup: the versions of one product that are in play, and every way they change.
//!
//! All that can happen to a product goes through four methods: [`Lineup::register`],
//! [`Lineup::observe`], [`Lineup::tick`] and [`Lineup::act`].
//! Each takes the time as an argument and writes what it did into [`Effects`]: the releases that
//! changed and the decisions that tell why.
//! [`Lineup::select`] is a read: it changes nothing but the note of what was handed out.

mod act;
mod register;

use std::sync::Arc as Shared;

pub use self::act::{ActionError, Request};
pub use self::register::RegisterError;

use crate::decision::{
    Action, Actor, Decision, Rule, Standing, must_succeed, rejected, runs_succeeded,
};
use crate::judge::Test;
use crate::policy::OnInsufficient;
use crate::release::{Release, ReleaseId, State};
use crate::rollout::{Arm, Consequence, Evidence, Rollout};
use crate::select::quota::Outstanding;
use crate::select::{Asker, Choice, Reason, quota, sticky};
use crate::signal::Status;
use crate::time::Timestamp;
use crate::value::Plain;

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
        let Some(stable) = &self.stable else {
            return Some(Selection { release: canary, band, reason: Reason::OnlyCanary });
        };
        let choice = if rollout.schedule().paused_at().is_some() {
            Choice::stable(Reason::Paused)
        } else {
            match asker {
                Asker::Instance(instance) => {
                    sticky::choose(canary.id, instance, rollout.share_at(now))
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
    pub fn observe(
        &mut self,
        release: ReleaseId,
        status: Status,
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
        if let Some(consequence) = rollout.observe(arm, status, canary, now) {
            self.follow(consequence, now, effects);
        }
        Some(band)
    }

    /// Does what time alone brings about; called again at the same time it does nothing.
    pub fn tick(&mut self, now: Timestamp, effects: &mut Effects) {
        let Some(Open { release, rollout }) = &mut self.open else { return };
        if let Some(consequence) = rollout.tick(release, now) {
            self.follow(consequence, now, effects);
        }
    }

    fn follow(&mut self, consequence: Consequence, now: Timestamp, effects: &mut Effects) {
        let Some(Open { release, rollout }) = &self.open else { return };
        let evidence = rollout.evidence(release, now);
        let (version, runs) = (&release.version, runs_succeeded(evidence.canary));
        match consequence {
            Consequence::Advance { from } => {
                let (band, count) = (evidence.band, rollout.schedule().count());
                let percent = Plain((evidence.share.as_f64() * 1000.0).round() / 10.0);
                let sentence = format!(
                    "advanced {version} to band {band} of {count}: {percent} % of the runs from now on"
                );
                effects.decisions.push(Decision {
                    release: release.id,
                    at: now,
                    action: Action::Advance,
                    from: Standing::Band(from),
                    to: Standing::Band(band),
                    actor: Actor::Engine,
                    rule: Rule::Schedule,
                    sentence,
                    evidence: Some(evidence),
                });
            }
            Consequence::RollbackByRule => {
                let rule = match evidence.test {
                    Test::Threshold(_) => Rule::Threshold,
                    Test::Ratio(_) => Rule::Ratio,
                };
                let why = rejected(release, &evidence);
                self.roll_back(why, Actor::Engine, rule, now, effects);
            }
            Consequence::Promote => {
                let must = must_succeed(release);
                let days = days(release.canary_period.days());
                let why = format!("{runs} over its period of {days}, {must}");
                self.promote(why, Actor::Engine, Rule::Schedule, now, effects);
            }
            Consequence::Insufficient(on_insufficient) => {
                self.lack(on_insufficient, &evidence, now, effects);
            }
            Consequence::HoldBelowThreshold => {
                let must = must_succeed(release);
                let why = format!(
                    "at the end of its period {runs}, {must}; too few runs to call it proven, so it \
                     stays a canary until they do, or somebody promotes it or rolls it back"
                );
                self.hold(&why, Rule::Schedule, now, effects);
            }
        }
    }

    /// Too few judged runs at the end of the period.
    fn lack(
        &mut self,
        on_insufficient: OnInsufficient,
        evidence: &Evidence,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(Open { release, .. }) = &self.open else { return };
        let needed = release.policy.min_signals.get();
        let reported = match evidence.canary.judged() {
            0 => "no run was reported".to_owned(),
            1 => "only 1 run was reported".to_owned(),
            runs => format!("only {runs} runs were reported"),
        };
        let why = format!("{reported} by the end of its period, where at least {needed} must be");
        let (actor, rule) = (Actor::Engine, Rule::OnInsufficient);
        match on_insufficient {
            OnInsufficient::Hold => {
                let why = format!("{why}; it stays a canary until enough are");
                self.hold(&why, rule, now, effects);
            }
            OnInsufficient::Promote => {
                let why = format!("{why}, and its policy promotes the unproven");
                self.promote(why, actor, rule, now, effects);
            }
            OnInsufficient::Rollback => {
                let why = format!("{why}, and its policy rolls the unproven back");
                self.roll_back(why, actor, rule, now, effects);
            }
        }
    }

    fn hold(&mut self, why: &str, rule: Rule, now: Timestamp, effects: &mut Effects) {
        let Some(Open { release, rollout }) = &self.open else { return };
        effects.decisions.push(Decision {
            release: release.id,
            at: now,
            action: Action::Hold,
            from: Standing::State(release.state),
            to: Standing::State(release.state),
            actor: Actor::Engine,
            rule,
            sentence: format!("held {}: {why}", release.version),
            evidence: Some(rollout.evidence(release, now)),
        });
    }

    /// The open canary becomes stable, and the stable version is retired.
    fn promote(
        &mut self,
        why: String,
        actor: Actor,
        rule: Rule,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(canary_was_seen) =
            self.open.as_ref().map(|open| open.rollout.was_seen(Arm::Canary))
        else {
            return;
        };
        let why = match &self.stable {
            Some(stable) => format!("{why}; it replaces {}", stable.version),
            None => why,
        };
        let sentence = |release: &Release| format!("promoted {}: {why}", release.version);
        let ending = Ending { action: Action::Promote, state: State::Promoted, actor, rule };
        if let Some(promoted) = self.end(ending, sentence, now, effects) {
            let because = format!("{} was promoted", promoted.version);
            self.retire_stable(&because, actor, rule, now, effects);
            self.stable = Some(promoted);
            self.stable_was_seen = canary_was_seen;
            self.settled = Reason::Promoted;
        }
    }

    /// The open canary is taken back.
    fn roll_back(
        &mut self,
        why: String,
        actor: Actor,
        rule: Rule,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let why = match &self.stable {
            Some(_) => why,
            None => format!("{why}; there is no stable version to fall back on"),
        };
        let sentence = |release: &Release| format!("rolled back {}: {why}", release.version);
        let ending = Ending { action: Action::Rollback, state: State::RolledBack, actor, rule };
        if self.end(ending, sentence, now, effects).is_some() {
            self.settled = Reason::RolledBack;
        }
    }

    /// Closes the open canary; the release as it is now.
    fn end(
        &mut self,
        ending: Ending,
        sentence: impl FnOnce(&Release) -> String,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Option<Shared<Release>> {
        let Ending { action, state, actor, rule } = ending;
        let Open { release, rollout } = self.open.take()?;
        effects.decisions.push(Decision {
            release: release.id,
            at: now,
            action,
            from: Standing::State(release.state),
            to: Standing::State(state),
            actor,
            rule,
            sentence: sentence(&release),
            evidence: Some(rollout.evidence(&release, now)),
        });
        let is_canary = release.is_canary && state != State::Promoted;
        let release = Shared::new(Release { state, is_canary, ..Release::clone(&release) });
        effects.releases.push(release.clone());
        effects.ended.push((release.id, rollout));
        Some(release)
    }

    /// The stable version makes room.
    fn retire_stable(
        &mut self,
        because: &str,
        actor: Actor,
        rule: Rule,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(stable) = self.stable.take() else { return };
        effects.decisions.push(Decision {
            release: stable.id,
            at: now,
            action: Action::Retire,
            from: Standing::State(stable.state),
            to: Standing::State(State::Retired),
            actor,
            rule,
            sentence: format!("retired {}: {because}", stable.version),
            evidence: None,
        });
        effects
            .releases
            .push(Shared::new(Release { state: State::Retired, ..Release::clone(&stable) }));
    }
}

/// How an open canary ends.
struct Ending {
    action: Action,
    state: State,
    actor: Actor,
    rule: Rule,
}

/// "2 days", "1 day", "0.5 days", or shorter units below an hour.
fn days(days: f64) -> String {
    let seconds = days * 86_400.0;
    match seconds {
        _ if days == 1.0 => "1 day".to_owned(),
        _ if seconds < 120.0 => format!("{} s", Plain((seconds * 10.0).round() / 10.0)),
        _ if seconds < 7_200.0 => format!("{} min", Plain((seconds / 6.0).round() / 10.0)),
        _ => format!("{} days", Plain((days * 100.0).round() / 100.0)),
    }
}

#[cfg(test)]
mod tests;
