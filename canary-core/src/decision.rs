//! Decisions: what was done to a release, by whom, on which evidence, in one plain sentence.

use std::fmt;

use crate::judge::Test;
use crate::release::{Release, ReleaseId, State};
use crate::rollout::{Counts, Evidence};
use crate::time::Timestamp;
use crate::value::Plain;

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

/// "98 of 100 runs succeeded", or that none was reported.
pub(crate) fn runs_succeeded(counts: Counts) -> String {
    match counts.judged() {
        0 => "no run was reported".to_owned(),
        1 if counts.success == 1 => "the only run succeeded".to_owned(),
        runs => format!("{} of {runs} runs succeeded", counts.success),
    }
}

/// "where at least 80 % must succeed".
pub(crate) fn must_succeed(release: &Release) -> String {
    format!("where at least {} % must succeed", Plain(release.threshold.percent()))
}

/// "4 of 4 runs failed, where at least 80 % must succeed (p ≤ 0.0038)".
pub(crate) fn rejected(release: &Release, evidence: &Evidence) -> String {
    let Counts { success, failed, .. } = evidence.canary;
    let runs = success + failed;
    let must = must_succeed(release);
    match evidence.test {
        Test::Threshold(reading) => {
            let p_value = at_most(reading.p_value());
            format!("{failed} of {runs} runs failed, {must} (p {p_value})")
        }
        Test::Ratio(reading) => {
            let percent = Plain((reading.percent().unwrap_or(0.0) * 10.0).floor() / 10.0);
            format!("{success} of {runs} runs succeeded, {percent} %, {must}")
        }
    }
}

/// A p-value with two digits, rounded up so that it is never claimed too small: "≤ 0.0038".
fn at_most(p_value: f64) -> String {
    const SMALLEST: f64 = 1e-9;
    if p_value < SMALLEST {
        return format!("< {SMALLEST}");
    }
    let digits = 1 - p_value.log10().floor() as i32;
    let scale = 10_f64.powi(digits);
    // A hair below the next step is that step: 0.01 must not become 0.011 by rounding.
    let rounded = (p_value * scale - 1e-9).ceil() / scale;
    format!("≤ {}", (rounded * 1e12).round() / 1e12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_rounded_up_to_two_digits() {
        let cases = [
            (1.0, "≤ 1"),
            (0.01, "≤ 0.01"),
            (0.003_733, "≤ 0.0038"),
            (0.000_010_01, "≤ 0.000011"),
            (1e-12, "< 0.000000001"),
            (0.0, "< 0.000000001"),
        ];
        for (p_value, want) in cases {
            assert_eq!(at_most(p_value), want);
        }
    }
}
