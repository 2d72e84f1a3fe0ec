//! A new release joins the lineup.

use std::sync::Arc as Shared;

use super::follow::Ending;
use super::{Effects, Lineup, Open};
use crate::decision::sentence::Story;
use crate::decision::{Action, Actor, Decision, Rule, Standing};
use crate::judge::rules::Before;
use crate::policy::OnSupersede;
use crate::release::{Release, State};
use crate::rollout::Rollout;
use crate::select::Reason;
use crate::time::Timestamp;
use crate::version::Version;

/// Why a release was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The running canary's policy lets no other release in.
    #[error(
        "canary `{running}` is running and its policy rejects new releases: promote it or roll it back first"
    )]
    CanaryIsRunning {
        /// The version that is running.
        running: Version,
    },
}

impl Lineup {
    /// Takes in a release that was just registered.
    ///
    /// Its state says what it was registered as: [`State::Running`] a canary, [`State::Stable`] a
    /// stable version, [`State::Retired`] one that is not handed out. `before` is what the stable
    /// version has measured, for a canary whose policy judges measurements or readings.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the running canary's policy refuses it; then nothing has changed.
    pub fn register(
        &mut self,
        release: Release,
        before: &Before,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), RegisterError> {
        self.tick(now, effects);
        if !release.is_active() {
            effects.releases.push(Shared::new(release));
            return Ok(());
        }
        self.make_room(&release, now, effects)?;
        if release.state.is_open() {
            let release = Shared::new(release);
            let stable_was_seen = self.stable_was_seen && self.stable.is_some();
            let stable = self.stable.as_ref().map(|stable| stable.id);
            let rollout = Rollout::new(&release, stable, stable_was_seen, before);
            effects.releases.push(release.clone());
            self.open = Some(Open { release, rollout });
            // A release date in the past means that bands have begun.
            self.tick(now, effects);
        } else {
            self.replace_stable(release, now, effects);
        }
        Ok(())
    }

    /// The running canary is promoted or superseded, as its policy says.
    fn make_room(
        &mut self,
        newer: &Release,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), RegisterError> {
        let Some(Open { release, rollout }) = &self.open else { return Ok(()) };
        let (evidence, is_healthy) = (rollout.evidence(release, now), rollout.is_healthy(release));
        let stable = self.stable.as_ref().map(|stable| &stable.version);
        let story = Story { canary: release, stable, evidence: &evidence };
        // Whoever paused it wants to look first.
        let is_paused = release.state == State::Paused;
        let (actor, rule) = (Actor::Engine, Rule::OnSupersede);
        let why = match release.policy.on_supersede {
            OnSupersede::Reject => {
                return Err(RegisterError::CanaryIsRunning { running: release.version.clone() });
            }
            OnSupersede::PromoteIfHealthy if is_healthy && !is_paused && stable.is_some() => {
                let why = story.promoted_for(&newer.version);
                self.promote(why, actor, rule, now, effects);
                return Ok(());
            }
            OnSupersede::PromoteIfHealthy => story.not_promoted_for(&newer.version, is_healthy),
            OnSupersede::Abort => story.gives_way_to(&newer.version),
        };
        let then = self.once_registered(newer);
        let sentence = |release: &Release| format!("superseded {}: {why}; {then}", release.version);
        let ending = Ending { action: Action::Supersede, state: State::Superseded, actor, rule };
        self.end(ending, sentence, now, effects);
        self.settled = Reason::OnlyStable;
        Ok(())
    }

    /// Who gets what once a newer release has taken the canary's place.
    fn once_registered(&self, newer: &Release) -> String {
        let version = &newer.version;
        match (newer.state.is_open(), &self.stable) {
            (true, Some(stable)) => {
                format!("{version} is the canary now, and everybody else gets {}", stable.version)
            }
            (true, None) => {
                format!(
                    "{version} is the canary now, and everybody gets it: there is no stable version"
                )
            }
            (false, _) => match self.higher_than(version) {
                Some(stable) => format!("everybody gets {}, a higher version", stable.version),
                None => format!("everybody gets {version}"),
            },
        }
    }

    /// The stable version, if it is higher than this one.
    fn higher_than(&self, version: &Version) -> Option<&Shared<Release>> {
        let stable = self.stable.as_ref()?;
        (stable.version.is_newer_than(version) == Some(true)).then_some(stable)
    }

    /// The release becomes the stable version, unless a higher one already is.
    ///
    /// Versions that are no SemVer are compared by their time of registration: the new one wins.
    fn replace_stable(&mut self, release: Release, now: Timestamp, effects: &mut Effects) {
        let Some(stable) = self.higher_than(&release.version) else {
            let because = format!("{} was registered as stable", release.version);
            self.retire_stable(&because, Actor::Operator, Rule::Operator, now, effects);
            let release = Shared::new(release);
            effects.releases.push(release.clone());
            self.stable = Some(release);
            self.stable_was_seen = false;
            self.settled = Reason::OnlyStable;
            return;
        };
        effects.decisions.push(Decision {
            release: release.id,
            at: now,
            action: Action::Retire,
            from: Standing::State(State::Stable),
            to: Standing::State(State::Retired),
            actor: Actor::Engine,
            rule: Rule::OnSupersede,
            sentence: format!(
                "retired {}: {}, a higher version, is stable; promote {} to hand it out all the same",
                release.version, stable.version, release.version
            ),
            evidence: None,
        });
        effects.releases.push(Shared::new(Release { state: State::Retired, ..release }));
    }
}
