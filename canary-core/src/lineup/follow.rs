//! What follows from a run or from time, and every end that a canary can come to.

use std::sync::Arc as Shared;

use super::{Effects, Lineup, Open};
use crate::decision::sentence::Story;
use crate::decision::sentence::numbers::percent;
use crate::decision::{Action, Actor, Decision, Rule, Standing};
use crate::policy::{AtEnd, OnInsufficient};
use crate::release::{Release, State};
use crate::rollout::{Arm, Consequence, Evidence, Rollout};
use crate::select::Reason;
use crate::time::Timestamp;

impl Lineup {
    pub(super) fn follow(
        &mut self,
        consequence: Consequence,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(Open { release, rollout }) = &self.open else { return };
        let evidence = rollout.evidence(release, now);
        let stable = self.stable.as_ref().map(|stable| &stable.version);
        let story = Story { canary: release, stable, evidence: &evidence };
        let engine = Actor::Engine;
        match consequence {
            Consequence::Advance { from } => {
                effects.decisions.push(advance(from, release, rollout, evidence, now));
            }
            Consequence::RollbackByRule => {
                let Some((rule, why)) = story.rejected() else { return };
                self.roll_back(why, engine, rule, now, effects);
            }
            Consequence::PromoteEarly => {
                let why = story.promoted_early();
                self.promote(why, engine, Rule::EarlyPromotion, now, effects);
            }
            Consequence::Promote => {
                let why = story.ended_well(rollout.is_held());
                self.promote(why, engine, Rule::Schedule, now, effects);
            }
            Consequence::Unproven(at_end) | Consequence::BelowThreshold(at_end) => {
                let is_below = matches!(consequence, Consequence::BelowThreshold(_));
                let why = story.unproven(is_below);
                self.end_unproven(&why, at_end, now, effects);
            }
            Consequence::Insufficient(on_insufficient) => {
                let why = story.lacks(" by the end of its period");
                self.end_insufficient(&why, on_insufficient, now, effects);
            }
        }
    }

    /// The end of the period has come without a verdict of the rules.
    ///
    /// A canary that would be promoted as it is is held here: it is below its threshold.
    fn end_unproven(&mut self, why: &str, at_end: AtEnd, now: Timestamp, effects: &mut Effects) {
        match at_end {
            AtEnd::Rollback => {
                let why = format!("{why}, and its policy rolls the unproven back (rule at_end)");
                self.roll_back(why, Actor::Engine, Rule::AtEnd, now, effects);
            }
            AtEnd::Promote | AtEnd::Hold => {
                let why = format!(
                    "{why}, so it stays a canary (rule at_end) until more runs decide, or somebody \
                     promotes it or rolls it back"
                );
                self.hold(&why, Rule::AtEnd, now, effects);
            }
        }
    }

    /// Too few judged runs at the end of the period.
    fn end_insufficient(
        &mut self,
        why: &str,
        on_insufficient: OnInsufficient,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let (actor, rule) = (Actor::Engine, Rule::OnInsufficient);
        match on_insufficient {
            OnInsufficient::Hold => {
                let why = format!(
                    "{why}, so it stays a canary (rule on_insufficient) until enough are, or \
                     somebody promotes it or rolls it back"
                );
                self.hold(&why, rule, now, effects);
            }
            OnInsufficient::Promote => {
                let why =
                    format!("{why}, and its policy promotes the unproven (rule on_insufficient)");
                self.promote(why, actor, rule, now, effects);
            }
            OnInsufficient::Rollback => {
                let why =
                    format!("{why}, and its policy rolls the unproven back (rule on_insufficient)");
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
            Some(stable) => {
                let version = &stable.version;
                format!("{why}; it replaces {version} (to go back, promote {version})")
            }
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
        let next = match &self.stable {
            Some(stable) => format!(
                "everybody gets {} again; register the mended software as a new version",
                stable.version
            ),
            None => "there is no stable version to fall back on: register one".to_owned(),
        };
        let why = format!("{why}; {next}");
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

/// The canary's share has grown.
fn advance(
    from: u16,
    release: &Release,
    rollout: &Rollout,
    evidence: Evidence,
    now: Timestamp,
) -> Decision {
    let (version, band, count) = (&release.version, evidence.band, rollout.schedule().count());
    let percent = percent(evidence.share);
    Decision {
        release: release.id,
        at: now,
        action: Action::Advance,
        from: Standing::Band(from),
        to: Standing::Band(band),
        actor: Actor::Engine,
        rule: Rule::Schedule,
        sentence: format!(
            "advanced {version} to band {band} of {count}: {percent} of the runs from now on (rule \
             schedule)"
        ),
        evidence: Some(evidence),
    }
}
