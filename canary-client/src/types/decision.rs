//! Decisions: what was done to a release, by whom, and on which evidence.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::findings::Findings;
use super::release::{Arm, Unreported};

/// One line of a release's timeline: what was done, by whom, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decision {
    /// When, in RFC 3339.
    pub at: String,
    /// `advance`, `hold`, `promote`, `rollback`, `pause`, `resume`, `supersede` or `retire`.
    pub action: String,
    /// Where the release stood: a state, or a band such as `band 1`.
    #[serde(default)]
    pub from: Option<String>,
    /// Where it stands since.
    #[serde(default)]
    pub to: Option<String>,
    /// Who decided: `engine` or `operator`.
    #[serde(default)]
    pub actor: String,
    /// On what ground: `threshold`, `ratio`, `baseline`, `measurement`, `early_promotion`,
    /// `schedule`, `at_end`, `on_insufficient`, `on_supersede` or `operator`.
    pub rule: String,
    /// Why, in one plain sentence.
    pub sentence: String,
    #[serde(default)]
    evidence: Value,
}

impl Decision {
    /// What was known, as the JSON document that the server has stored; `None` without evidence.
    #[must_use]
    pub fn evidence_json(&self) -> Option<String> {
        (!self.evidence.is_null()).then(|| self.evidence.to_string())
    }

    /// What was known; `None` if the evidence does not count runs.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        Evidence::deserialize(&self.evidence).ok()
    }
}

/// What was known when something was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The band, from 1; 0 before the first.
    #[serde(default)]
    pub band: u16,
    /// The canary's part of the runs or instances in that band, 0 to 1.
    #[serde(default)]
    pub share: f64,
    /// The canary's runs, in all bands.
    pub canary: Arm,
    /// The stable version's runs meanwhile.
    pub stable: Arm,
    /// Answers that were handed out and not reported in time.
    #[serde(default)]
    pub unreported: Unreported,
    /// What each rule had found.
    #[serde(default)]
    pub findings: Findings,
}
