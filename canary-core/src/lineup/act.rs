//! A person promotes, rolls back, pauses or resumes.

use std::sync::Arc as Shared;

use super::{Effects, Lineup, Open};
use crate::band::Schedule;
use crate::decision::sentence::numbers::percent;
use crate::decision::{Action, Actor, Decision, Rule, Standing};
use crate::release::{Release, State};
use crate::rollout::Consequence;
use crate::select::Reason;
use crate::time::Timestamp;
use crate::version::Version;

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    /// Make it the version that everybody gets.
    Promote,
    /// Take it back.
    Rollback,
    /// Do not hand it out for now.
    Pause,
    /// Hand it out again.
    Resume,
}

impl Request {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

/// Why an action makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Not in this state.
    #[error("cannot {} `{version}`, it is {}: {}", .request.as_str(), .state.as_str(), advice(*.request, *.state))]
    WrongState {
        /// What was asked for.
        request: Request,
        /// Of which version.
        version: Version,
        /// The state it is in.
        state: State,
    },
    /// Another version is under test.
    #[error(
        "cannot promote `{version}` while canary `{running}` is running: promote that or roll it back first"
    )]
    CanaryIsRunning {
        /// The version that was to be promoted.
        version: Version,
        /// The version that is running.
        running: Version,
    },
}

/// What to do instead, for a person.
fn advice(request: Request, state: State) -> &'static str {
    match (request, state) {
        (Request::Rollback, State::Stable | State::Promoted) => {
            "promote the version to go back to instead"
        }
        (_, State::RolledBack) => {
            "its verdict stands, register the mended software as a new version"
        }
        (Request::Pause | Request::Resume, _) => "only a running canary can be paused and resumed",
        (Request::Rollback | Request::Promote, _) => "it is not handed out",
    }
}

impl Lineup {
    /// Does what a person asks for `release`, which is one of this product as it is stored.
    ///
    /// Asking again for what is already in force changes nothing.
    ///
    /// # Errors
    ///
    /// [`ActionError`] if it makes no sense in this state; then nothing has changed.
    pub fn act(
        &mut self,
        request: Request,
        release: &Release,
        reason: &str,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), ActionError> {
        self.tick(now, effects);
        // What was due may have ended the canary just now.
        let mut changed = effects.releases.iter().rev().filter(|changed| changed.id == release.id);
        let state = changed.next().map_or(release.state, |changed| changed.state);
        let is_open = self.open.as_ref().is_some_and(|open| open.release.id == release.id);
        let reason = if reason.is_empty() { "no reason was given" } else { reason };
        let why = format!("by an operator, {reason}");
        match (request, state) {
            (Request::Promote, State::Stable | State::Promoted)
            | (Request::Rollback, State::RolledBack)
            | (Request::Pause, State::Paused)
            | (Request::Resume, State::Running) => {}
            (Request::Promote, State::Running | State::Paused) if is_open => {
                self.promote(why, Actor::Operator, Rule::Operator, now, effects);
            }
            (Request::Promote, State::Retired | State::Superseded) => {
                self.promote_again(release, &why, now, effects)?;
            }
            (Request::Rollback, State::Running | State::Paused) if is_open => {
                self.roll_back(why, Actor::Operator, Rule::Operator, now, effects);
            }
            (Request::Pause, State::Running) if is_open => {
                self.switch(Action::Pause, State::Paused, &why, now, effects);
            }
            (Request::Resume, State::Paused) if is_open => {
                self.switch(Action::Resume, State::Running, &why, now, effects);
            }
            _ => {
                let version = release.version.clone();
                return Err(ActionError::WrongState { request, version, state });
            }
        }
        Ok(())
    }

    /// A version that is no longer handed out becomes stable: the way back to an older one.
    fn promote_again(
        &mut self,
        release: &Release,
        why: &str,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), ActionError> {
        if let Some(open) = &self.open {
            return Err(ActionError::CanaryIsRunning {
                version: release.version.clone(),
                running: open.release.version.clone(),
            });
        }
        let replaces = match &self.stable {
            Some(stable) => {
                let version = &stable.version;
                format!("; it replaces {version} (to go back, promote {version})")
            }
            None => String::new(),
        };
        effects.decisions.push(Decision {
            release: release.id,
            at: now,
            action: Action::Promote,
            from: Standing::State(release.state),
            to: Standing::State(State::Promoted),
            actor: Actor::Operator,
            rule: Rule::Operator,
            sentence: format!("promoted {}: {why}{replaces}", release.version),
            evidence: None,
        });
        let because = format!("{} was promoted", release.version);
        self.retire_stable(&because, Actor::Operator, Rule::Operator, now, effects);
        let promoted = Release { state: State::Promoted, is_canary: false, ..release.clone() };
        let promoted = Shared::new(promoted);
        effects.releases.push(promoted.clone());
        self.stable = Some(promoted);
        self.stable_was_seen = false;
        self.settled = Reason::Promoted;
        Ok(())
    }

    /// The open canary is handed out, or not, from now on.
    fn switch(
        &mut self,
        action: Action,
        state: State,
        why: &str,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let stable = self.stable.as_ref().map(|stable| &stable.version);
        let Some(Open { release, rollout }) = &mut self.open else { return };
        let (word, then) = match state {
            State::Paused => {
                rollout.pause(release, now);
                ("paused", while_paused(stable))
            }
            _ => {
                rollout.resume(release, now);
                ("resumed", once_resumed(stable, rollout.schedule(), now))
            }
        };
        effects.decisions.push(Decision {
            release: release.id,
            at: now,
            action,
            from: Standing::State(release.state),
            to: Standing::State(state),
            actor: Actor::Operator,
            rule: Rule::Operator,
            sentence: format!("{word} {}: {why}; {then}", release.version),
            evidence: Some(rollout.evidence(release, now)),
        });
        *release = Shared::new(Release { state, ..Release::clone(release) });
        effects.releases.push(release.clone());
        // The block that was open when the share changed may have been the last word.
        if rollout.is_rejected(release) {
            self.follow(Consequence::RollbackByRule, now, effects);
        }
    }
}

/// Who gets what while a canary is paused.
fn while_paused(stable: Option<&Version>) -> String {
    match stable {
        Some(stable) => format!("everybody gets {stable} until it is resumed"),
        None => {
            "without a stable version everybody still gets it, but its time stands still until \
                 it is resumed"
                .to_owned()
        }
    }
}

/// Who gets what from now on.
fn once_resumed(stable: Option<&Version>, schedule: &Schedule, now: Timestamp) -> String {
    match (stable, schedule.band_at(now)) {
        (None, _) => "without a stable version everybody gets it, and its time goes on".to_owned(),
        (Some(stable), 0) => format!("everybody gets {stable} until its first band begins"),
        (Some(_), band) => format!("it gets {} of the runs again", percent(schedule.share(band))),
    }
}
