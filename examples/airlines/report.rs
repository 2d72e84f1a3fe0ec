//! What came out, as Markdown.

use std::fmt;

use canary_core::decision::Action;
use canary_core::replay::Outcome;
use canary_core::rollout::Counts;

/// What one trial brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// In the place of the stable version.
    pub stable: String,
    /// In the place of the canary.
    pub canary: String,
    /// What would have happened.
    pub outcome: Outcome,
}

impl Row {
    /// `rolled back`, `promoted`, or `still a canary`.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.outcome.end.as_ref().map(|end| end.action) {
            Some(Action::Rollback) => "rolled back",
            Some(_) => "promoted",
            None => "still a canary",
        }
    }

    /// Flights of the canary up to its end, or all of them.
    #[must_use]
    pub fn needed(&self) -> u64 {
        let evidence = self.outcome.end.as_ref().and_then(|end| end.evidence.as_ref());
        evidence.map_or_else(|| self.outcome.canary.judged(), |evidence| evidence.canary.judged())
    }

    /// The decision that ended the trial, else the last one.
    #[must_use]
    pub fn sentence(&self) -> &str {
        let last = self.outcome.end.as_ref().or_else(|| self.outcome.decisions.last());
        last.map_or("nothing was decided", |decision| &decision.sentence)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stable, canary, outcome } = self;
        let decided = outcome.end.as_ref().or_else(|| outcome.decisions.last());
        write!(
            formatter,
            "| {stable} | {canary} | {} | {} | {} | {} | {} of {} | {} of {} | {} | {} |",
            failing(&outcome.stable),
            failing(&outcome.canary),
            self.verdict(),
            decided.map_or("none", |decision| decision.rule.as_str()),
            self.needed(),
            outcome.canary.judged(),
            outcome.runs,
            outcome.canary.judged() + outcome.stable.judged(),
            outcome.suffered,
            self.sentence()
        )
    }
}

/// "23.6 %".
fn failing(counts: &Counts) -> String {
    match counts.judged() {
        0 => "none flew".to_owned(),
        runs => format!("{:.1} %", counts.failed as f64 * 100.0 / runs as f64),
    }
}

/// All trials by one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What the policy is.
    pub policy: String,
    /// Its trials.
    pub rows: Vec<Row>,
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "## {}\n", self.policy)?;
        writeln!(
            formatter,
            "| stable | canary | stable fails | canary fails | verdict | rule | canary's flights \
             needed | flights of both needed | failed canary flights until then | sentence |"
        )?;
        writeln!(formatter, "|{}", " --- |".repeat(10))?;
        self.rows.iter().try_for_each(|row| writeln!(formatter, "{row}"))
    }
}

/// One airline, its flights split at random into both versions, again and again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Splits {
    /// The airline.
    pub airline: String,
    /// How often.
    pub splits: u32,
    /// How often one half was rolled back by the comparison with the other, by the first policy.
    pub by_baseline: u32,
    /// How often one half was rolled back by its threshold, by the first policy.
    pub by_threshold: u32,
    /// How often one half was rolled back by its delays, by the second policy.
    pub by_measurement: u32,
    /// How often one half was promoted early, by the third policy.
    pub promoted_early: u32,
}

impl fmt::Display for Splits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { airline, splits, by_baseline, by_threshold, by_measurement, promoted_early } =
            self;
        write!(
            formatter,
            "| {airline} | {splits} | {by_baseline} | {by_threshold} | {by_measurement} \
             | {promoted_early} |"
        )
    }
}

/// What all trials brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How many flights there are, of all airlines.
    pub flights: usize,
    /// In how many days.
    pub days: f64,
    /// One for each policy.
    pub tables: Vec<Table>,
    /// One for each airline that was split.
    pub splits: Vec<Splits>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flights, days, tables, splits } = self;
        writeln!(
            formatter,
            "{flights} flights in {days:.0} days, in the order of their scheduled departure. A \
             flight fails if it is more than 15 minutes late or never arrives.\n"
        )?;
        tables.iter().try_for_each(|table| writeln!(formatter, "{table}"))?;
        writeln!(formatter, "## One airline beside itself\n")?;
        writeln!(
            formatter,
            "| airline | splits at random | rolled back by the comparison | by the threshold \
             | by the delay, if it is judged | promoted early |"
        )?;
        writeln!(formatter, "|{}", " --- |".repeat(6))?;
        splits.iter().try_for_each(|splits| writeln!(formatter, "{splits}"))
    }
}
