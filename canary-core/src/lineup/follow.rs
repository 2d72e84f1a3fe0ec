//! What follows from a run or from time, and every end that a canary can come to.

use std::sync::Arc as Shared;

use super::{Effects, Lineup, Open};
use crate::decision::{
    Action, Actor, Decision, Rule, Standing, must_succeed, rejected, runs_succeeded,
};
use crate::judge::Test;
use crate::policy::OnInsufficient;
use crate::release::{Release, State};
use crate::rollout::{Arm, Consequence, Evidence};
use crate::select::Reason;
use crate::time::Timestamp;
use crate::value::Plain;

impl Lineup {
    pub(super) fn follow(
        &mut self,
        consequence: Consequence,
        now: Timestamp,
        effects: &mut Effects,
    ) {
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
    pub(super) fn promote(
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
    pub(super) fn roll_back(
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
    pub(super) fn end(
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
    pub(super) fn retire_stable(
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
pub(super) struct Ending {
    pub(super) action: Action,
    pub(super) state: State,
    pub(super) actor: Actor,
    pub(super) rule: Rule,
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
