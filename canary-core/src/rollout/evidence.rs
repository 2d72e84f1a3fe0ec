//! What was known when something was decided.

use super::Counts;
use crate::band::Share;
use crate::judge::rules::findings::Findings;

/// What was known when something was decided: enough to compute the verdict again.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The band, counted from 1; 0 before the first.
    pub band: u16,
    /// The canary's share in that band.
    pub share: Share,
    /// Runs of the canary in all bands.
    pub canary: Counts,
    /// Runs of the stable version in all bands.
    pub stable: Counts,
    /// Answers that were handed out and not reported in time.
    pub unreported: Unreported,
    /// Whether those count as failed runs.
    pub is_unreported_failed: bool,
    /// What the rules of the policy made of them.
    pub findings: Findings,
}

impl Evidence {
    /// The runs of the canary that are judged.
    #[must_use]
    pub const fn judged(&self) -> Counts {
        judged(self.canary, self.unreported.canary, self.is_unreported_failed)
    }

    /// The runs of the stable version that are judged.
    #[must_use]
    pub const fn judged_stable(&self) -> Counts {
        judged(self.stable, self.unreported.stable, self.is_unreported_failed)
    }
}

/// Answers that were handed out and not reported in time, by the version that was handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unreported {
    /// The canary.
    pub canary: u64,
    /// The stable version.
    pub stable: u64,
}

/// Runs with those that were not reported, if they count as failed.
pub(super) const fn judged(counts: Counts, unreported: u64, is_failed: bool) -> Counts {
    let failed = if is_failed { counts.failed.saturating_add(unreported) } else { counts.failed };
    Counts { failed, ..counts }
}
