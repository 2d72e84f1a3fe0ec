//! What a newer release does to a canary.

use super::Story;
use crate::release::State;
use crate::version::Version;

impl Story<'_> {
    /// Why a canary was promoted when a newer release was registered.
    pub(crate) fn promoted_for(&self, newer: &Version) -> String {
        let (runs, must) = (self.runs_succeeded(), self.must_succeed());
        format!("{newer} was registered, and {runs}, {must} (rule on_supersede)")
    }

    /// Why a canary was not promoted when a newer release was registered.
    pub(crate) fn not_promoted_for(&self, newer: &Version, is_healthy: bool) -> String {
        let (version, judged) = (&self.canary.version, self.evidence.judged().judged());
        let why = match u64::from(self.canary.policy.min_signals.get().max(1)) {
            _ if self.canary.state == State::Paused => {
                return format!(
                    "{newer} was registered, and a paused canary is not promoted (rule on_supersede)"
                );
            }
            _ if is_healthy => {
                return format!(
                    "{newer} was registered, and a canary without a stable version beside it is \
                     not promoted (rule on_supersede)"
                );
            }
            needed if judged < needed => self.lacks(""),
            _ => format!("{}, {}", self.runs_succeeded(), self.must_succeed()),
        };
        format!(
            "{newer} was registered before {version} was judged healthy: {why} (rule on_supersede)"
        )
    }

    /// Why a canary whose policy says so had to make room.
    pub(crate) fn gives_way_to(&self, newer: &Version) -> String {
        let version = &self.canary.version;
        format!(
            "{newer} was registered, and the policy of {version} gives way to newer releases (rule \
             on_supersede)"
        )
    }
}
