//! Selection: which of the two versions does this instance run?
//!
//! Adding a strategy: a module here, and a variant in [`Asker`] for what it needs to know of the
//! one who asks; the compiler lists the rest.

pub mod awaited;
pub mod quota;
pub mod sticky;

use crate::rollout::Arm;
use crate::signal::InstanceId;

/// What the one who asks tells about itself.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// Nothing: the answer follows the [`quota`]. The same run gets the same answer.
    Run(Option<quota::RunKey>),
    /// Its name: the answer [sticks](sticky) to it.
    Instance(&'a InstanceId),
}

/// Why this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No canary is running.
    OnlyStable,
    /// There is no stable version yet.
    OnlyCanary,
    /// This run belongs to the canary's share.
    CanaryShare,
    /// This run belongs to the stable version's share.
    StableShare,
    /// The canary has not been seen yet, and somebody must begin.
    FirstCanaryRun,
    /// The stable version has not been seen yet, and the canary needs something to be compared with.
    FirstStableRun,
    /// The canary is paused.
    Paused,
    /// The last canary was rolled back.
    RolledBack,
    /// The last canary was promoted.
    Promoted,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::OnlyStable,
        Self::OnlyCanary,
        Self::CanaryShare,
        Self::StableShare,
        Self::FirstCanaryRun,
        Self::FirstStableRun,
        Self::Paused,
        Self::RolledBack,
        Self::Promoted,
    ];

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyStable => "only_stable",
            Self::OnlyCanary => "only_canary",
            Self::CanaryShare => "canary_share",
            Self::StableShare => "stable_share",
            Self::FirstCanaryRun => "first_canary_run",
            Self::FirstStableRun => "first_stable_run",
            Self::Paused => "paused",
            Self::RolledBack => "rolled_back",
            Self::Promoted => "promoted",
        }
    }

    /// Reads the word of the contract.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// One of the two versions, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Which version.
    pub arm: Arm,
    /// Why.
    pub reason: Reason,
}

impl Choice {
    /// The canary, for a reason.
    #[must_use]
    pub const fn canary(reason: Reason) -> Self {
        Self { arm: Arm::Canary, reason }
    }

    /// The stable version, for a reason.
    #[must_use]
    pub const fn stable(reason: Reason) -> Self {
        Self { arm: Arm::Stable, reason }
    }
}
