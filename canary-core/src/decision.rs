//! Decisions: what was done to a release, by whom, on which evidence, in one plain sentence.

pub(crate) mod sentence;

use std::fmt;

use crate::release::{ReleaseId, State};
use crate::rollout::Evidence;
use crate::time::Timestamp;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The canary's share has grown.
    Advance,
    /// The canary stays a canary past its period.
    Hold,
    /// The canary became the version that everybody gets.
    Promote,
    /// The canary was taken back.
    Rollback,
    /// The canary is not handed out until somebody resumes it.
    Pause,
    /// The canary is handed out again.
    Resume,
    /// A newer release took the canary's place.
    Supersede,
    /// A stable version was replaced, or never was the one handed out.
    Retire,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 8] = [
        Self::Advance,
        Self::Hold,
        Self::Promote,
        Self::Rollback,
        Self::Pause,
        Self::Resume,
        Self::Supersede,
        Self::Retire,
    ];

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Hold => "hold",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Supersede => "supersede",
            Self::Retire => "retire",
        }
    }
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The engine, by a rule or by time.
    Engine,
    /// Somebody who called the API.
    Operator,
}

impl Actor {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Operator => "operator",
        }
    }
}

/// On what ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The floor spoke against the canary.
    Threshold,
    /// The success percentage spoke against the canary.
    Ratio,
    /// The comparison with the stable version spoke against the canary.
    Baseline,
    /// What the canary measures spoke against it.
    Measurement,
    /// The canary was proven good.
    EarlyPromotion,
    /// The end of the period came without a proof.
    AtEnd,
    /// Time: a band or the period.
    Schedule,
    /// Too few signals at the end of the period.
    OnInsufficient,
    /// A newer release was registered.
    OnSupersede,
    /// A person said so.
    Operator,
}

impl Rule {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Ratio => "ratio",
            Self::Baseline => "baseline",
            Self::Measurement => "measurement",
            Self::EarlyPromotion => "early_promotion",
            Self::AtEnd => "at_end",
            Self::Schedule => "schedule",
            Self::OnInsufficient => "on_insufficient",
            Self::OnSupersede => "on_supersede",
            Self::Operator => "operator",
        }
    }
}

/// Where a release stood before or after a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In a state.
    State(State),
    /// In a band of its rollout, counted from 1; 0 before the first.
    Band(u16),
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => formatter.write_str(state.as_str()),
            Self::Band(band) => write!(formatter, "band {band}"),
        }
    }
}

/// One line of a release's timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The release it is about.
    pub release: ReleaseId,
    /// When it was taken.
    pub at: Timestamp,
    /// What was done.
    pub action: Action,
    /// Where the release stood.
    pub from: Standing,
    /// Where it stands.
    pub to: Standing,
    /// Who decided.
    pub actor: Actor,
    /// On what ground.
    pub rule: Rule,
    /// The plain sentence that tells a person why.
    pub sentence: String,
    /// What was known; nothing for a release that was no running canary.
    pub evidence: Option<Evidence>,
}
