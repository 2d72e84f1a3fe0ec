//! What would have happened with the runs of a file, with the names of the API.

use canary_client::Policy;
use canary_core::decision::Decision;
use canary_core::replay::{Outcome, Plan};
use canary_core::rollout::Counts;
use canary_core::time::Timestamp;
use serde::Serialize;

use crate::command::import::Refusal;
use crate::command::policy::full;
use crate::command::time;
use crate::output;

/// How many rows that cannot be read are told of.
const SHOWN: usize = 5;

/// What would have happened, with the names of the API.
#[derive(Debug, Serialize)]
pub(super) struct Replayed {
    pub(super) release: Name,
    pub(super) stable_version: String,
    pub(super) plan: PlanShown,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) decisions: Vec<Line>,
    pub(super) end: Option<Line>,
    pub(super) runs: u64,
    pub(super) suffered: u64,
    pub(super) canary: CountsShown,
    pub(super) stable: CountsShown,
    pub(super) rows: RowCounts,
}

#[derive(Debug, Serialize)]
pub(super) struct Name {
    pub(super) semver_version: String,
}

#[derive(Debug, Serialize)]
pub(super) struct PlanShown {
    pub(super) policy: Policy,
    pub(super) threshold: f64,
    pub(super) canary_period: f64,
    pub(super) band_count: u16,
    pub(super) begins_at: String,
}

impl From<&Plan> for PlanShown {
    fn from(plan: &Plan) -> Self {
        Self {
            policy: full(&plan.policy),
            threshold: plan.threshold.percent(),
            canary_period: plan.canary_period.days(),
            band_count: plan.band_count.get(),
            begins_at: rfc_3339(plan.begins_at),
        }
    }
}

/// One decision that would have been taken.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub(super) at: String,
    pub(super) action: String,
    from: String,
    to: String,
    rule: String,
    pub(super) sentence: String,
}

impl From<&Decision> for Line {
    fn from(decision: &Decision) -> Self {
        Self {
            at: rfc_3339(decision.at),
            action: decision.action.as_str().to_owned(),
            from: decision.from.to_string(),
            to: decision.to.to_string(),
            rule: decision.rule.as_str().to_owned(),
            sentence: decision.sentence.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct CountsShown {
    pub(super) success: u64,
    pub(super) failed: u64,
    pub(super) neutral: u64,
}

impl From<Counts> for CountsShown {
    fn from(Counts { success, failed, neutral }: Counts) -> Self {
        Self { success, failed, neutral }
    }
}

/// What became of the rows of the file.
#[derive(Debug, Default, Serialize)]
pub(super) struct RowCounts {
    /// All of them.
    pub(super) read: u64,
    /// Of neither version.
    pub(super) of_other_versions: u64,
    /// Of the stable version, before the canary's first run.
    pub(super) before_the_canary: u64,
    /// Those that cannot be read, and the first of them.
    pub(super) unreadable: u64,
    pub(super) refusals: Vec<Refusal>,
}

impl RowCounts {
    /// Counts a row that cannot be read.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.unreadable += 1;
        if self.refusals.len() < SHOWN {
            self.refusals.push(refusal);
        }
    }

    /// "2 rows cannot be read", and why.
    pub(super) fn text(&self) -> Option<String> {
        if self.unreadable == 0 {
            return None;
        }
        let mut text = output::counted(self.unreadable, "row cannot", "rows cannot") + " be read:";
        for refusal in &self.refusals {
            text.push_str(&format!("\n{}", refusal.text()));
        }
        let shown = self.refusals.len() as u64;
        if self.unreadable > shown {
            text.push_str(&format!("\n… and {} more", self.unreadable - shown));
        }
        Some(text)
    }
}

impl Replayed {
    /// What came of a plan.
    pub(super) fn of(plan: &Plan, outcome: &Outcome, ends_at: Timestamp, rows: RowCounts) -> Self {
        Self {
            release: Name { semver_version: plan.canary.to_string() },
            stable_version: plan.stable.to_string(),
            plan: plan.into(),
            from: rfc_3339(plan.begins_at),
            to: rfc_3339(ends_at),
            decisions: outcome.decisions.iter().map(Line::from).collect(),
            end: outcome.end.as_ref().map(Line::from),
            runs: outcome.runs,
            suffered: outcome.suffered,
            canary: outcome.canary.into(),
            stable: outcome.stable.into(),
            rows,
        }
    }

    /// Whether every row could be read.
    pub(super) fn is_whole(&self) -> bool {
        self.rows.unreadable == 0
    }
}

fn rfc_3339(time: Timestamp) -> String {
    time::rfc_3339_micros(time.as_micros())
}
