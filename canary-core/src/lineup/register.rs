//! A new release joins the lineup.

use std::sync::Arc as Shared;

use super::follow::Ending;
use super::{Effects, Lineup, Open};
use crate::decision::{Action, Actor, Decision, Rule, Standing, must_succeed, runs_succeeded};
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
    /// stable version, [`State::Retired`] one that is not handed out.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the running canary's policy refuses it; then nothing has changed.
    pub fn register(
        &mut self,
        release: Release,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), RegisterError> {
        self.tick(now, effects);
        if !release.is_active() {
            effects.releases.push(Shared::new(release));
            return Ok(());
        }
        self.make_room(&release.version, now, effects)?;
        if release.state.is_open() {
            let release = Shared::new(release);
            let rollout = Rollout::new(&release, self.stable_was_seen && self.stable.is_some());
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
        newer: &Version,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), RegisterError> {
        let Some(Open { release, rollout }) = &self.open else { return Ok(()) };
        let runs = runs_succeeded(rollout.counts().canary);
        let must = must_succeed(release);
        let is_healthy = rollout.is_healthy(release);
        let (actor, rule) = (Actor::Engine, Rule::OnSupersede);
        let why = match release.policy.on_supersede {
            OnSupersede::Reject => {
                return Err(RegisterError::CanaryIsRunning { running: release.version.clone() });
            }
            OnSupersede::PromoteIfHealthy if is_healthy && self.stable.is_some() => {
                let why = format!("{newer} was registered, and {runs}, {must}");
                self.promote(why, actor, rule, now, effects);
                return Ok(());
            }
            OnSupersede::PromoteIfHealthy if is_healthy => {
                format!("{newer} was registered, and there is no stable version yet")
            }
            OnSupersede::PromoteIfHealthy => {
                format!("{newer} was registered before it was judged healthy: {runs}, {must}")
            }
            OnSupersede::Abort => {
                format!("{newer} was registered, and its policy gives way to newer releases")
            }
        };
        let sentence = |release: &Release| format!("superseded {}: {why}", release.version);
        let ending = Ending { action: Action::Supersede, state: State::Superseded, actor, rule };
        self.end(ending, sentence, now, effects);
        self.settled = Reason::OnlyStable;
        Ok(())
    }

    /// The release becomes the stable version, unless a higher one already is.
    ///
    /// Versions that are no SemVer are compared by their time of registration: the new one wins.
    fn replace_stable(&mut self, release: Release, now: Timestamp, effects: &mut Effects) {
        let higher = self
            .stable
            .as_ref()
            .filter(|stable| stable.version.is_newer_than(&release.version) == Some(true));
        let Some(stable) = higher else {
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
