//! A simulation for people: what would have been, beside what was.

use canary_client::{Decision, Policy, Simulation};

use super::replayed::{Line, Replayed};
use crate::command::{policy, time};
use crate::output;

/// A decision about the canary, that was taken or would have been.
struct Told {
    at: String,
    action: String,
    sentence: String,
}

/// What became of the canary, in one way or another.
struct Way {
    /// Above its column.
    name: &'static str,
    /// What ended its trial.
    end: Option<Told>,
    /// What is said where nothing did.
    without_end: &'static str,
    /// Failed runs of the canary up to the end.
    failed: Option<u64>,
}

/// A simulation for people.
pub(super) struct Account {
    /// Which runs were gone through, and with what.
    beginning: String,
    begins_at: String,
    simulated: Way,
    other: Way,
    /// What would have been decided, but for the bands that began.
    decisions: Vec<Told>,
    notes: Vec<String>,
}

/// What every simulation begins with.
struct Beginning<'a> {
    canary: (&'a str, u64),
    stable: (&'a str, u64),
    span: Option<(&'a str, &'a str)>,
    threshold: f64,
    canary_period: f64,
    band_count: u16,
    policy: &'a Policy,
}

impl Account {
    pub(super) fn of_server(simulation: &Simulation) -> Self {
        let Simulation { plan, canary, stable, actual, .. } = simulation;
        let stable_version = simulation.stable_version.as_deref().unwrap_or("the stable version");
        let beginning = Beginning {
            canary: (&simulation.release.semver_version, canary.success + canary.failed),
            stable: (stable_version, stable.success + stable.failed),
            span: simulation.from.as_deref().zip(simulation.to.as_deref()),
            threshold: plan.threshold,
            canary_period: plan.canary_period,
            band_count: plan.band_count,
            policy: &plan.policy,
        };
        let then = actual.as_ref().and_then(Decision::evidence);
        let failed = match actual {
            Some(_) => then.map(|evidence| evidence.canary.failed),
            None => Some(canary.failed),
        };
        let end = simulation.end.as_ref().map(Told::from);
        let told = simulation.decisions.iter().map(Told::from);
        Self {
            beginning: beginning.text(),
            begins_at: plan.begins_at.clone(),
            simulated: Way::simulated(end, simulation.suffered),
            other: Way {
                name: "IN FACT",
                end: actual.as_ref().map(Told::from),
                without_end: "still a canary",
                failed,
            },
            decisions: told.filter(Told::is_told).collect(),
            notes: not_gone_through(&plan.policy).into_iter().collect(),
        }
    }

    pub(super) fn of_file(replayed: &Replayed) -> Self {
        let Replayed { plan, canary, stable, rows, .. } = replayed;
        let (version, stable_version) =
            (&replayed.release.semver_version, &replayed.stable_version);
        let beginning = Beginning {
            canary: (version, canary.success + canary.failed),
            stable: (stable_version, stable.success + stable.failed),
            span: Some((&replayed.from, &replayed.to)),
            threshold: plan.threshold,
            canary_period: plan.canary_period,
            band_count: plan.band_count,
            policy: &plan.policy,
        };
        let mut notes = vec![passed_over(replayed)];
        notes.extend(rows.text());
        let told = replayed.decisions.iter().map(Told::from);
        Self {
            beginning: beginning.text(),
            begins_at: plan.begins_at.clone(),
            simulated: Way::simulated(replayed.end.as_ref().map(Told::from), replayed.suffered),
            other: Way {
                name: "IN THE FILE",
                end: None,
                without_end: "-",
                failed: Some(canary.failed),
            },
            decisions: told.filter(Told::is_told).collect(),
            notes,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut parts = vec![self.beginning.clone(), self.table()];
        let told = self.decisions.iter().map(Told::line).collect::<Vec<_>>();
        parts.extend((!told.is_empty()).then(|| told.join("\n")));
        parts.extend(self.fact());
        parts.extend(self.notes.iter().cloned());
        parts.join("\n\n")
    }

    /// What ended the trial in fact.
    fn fact(&self) -> Option<String> {
        let (fact, simulated) = (self.other.end.as_ref()?, self.simulated.end.as_ref());
        let is_same = simulated.is_some_and(|simulated| simulated.sentence == fact.sentence);
        Some(if is_same {
            "in fact: the same".to_owned()
        } else {
            output::hanging("in fact: ", &fact.sentence)
        })
    }

    fn table(&self) -> String {
        let ways = [&self.simulated, &self.other];
        let row = |name: &str, show: &dyn Fn(&Way) -> String| {
            let values = ways.iter().map(|way| show(way));
            [name.to_owned()].into_iter().chain(values).collect::<Vec<_>>()
        };
        let rows = [
            row("end", &|way| match &way.end {
                None => way.without_end.to_owned(),
                Some(end) => end.word().to_owned(),
            }),
            row("at", &|way| {
                output::or_dash(way.end.as_ref().map(|end| time::to_the_second(&end.at)))
            }),
            row("after", &|way| output::or_dash(way.after(&self.begins_at))),
            row("failed runs", &|way| output::or_dash(way.failed)),
        ];
        output::columns(&["", self.simulated.name, self.other.name], &[], rows)
    }
}

impl Way {
    fn simulated(end: Option<Told>, suffered: u64) -> Self {
        Self { name: "SIMULATED", end, without_end: "still a canary", failed: Some(suffered) }
    }

    /// How long the trial took.
    fn after(&self, begins_at: &str) -> Option<String> {
        let ends_at = time::timestamp(&self.end.as_ref()?.at).ok()?;
        let took = ends_at.duration_since(time::timestamp(begins_at).ok()?);
        Some(output::period(took.as_secs_f64() / 86_400.0))
    }
}

impl Beginning<'_> {
    /// "81 runs of 1.5.0 and 300 of 1.4.0, from … to …, with threshold 80 %, …".
    fn text(&self) -> String {
        let Self { canary: (canary, runs), stable: (stable, others), .. } = self;
        let runs = output::counted(*runs, "run", "runs");
        let span = match self.span {
            Some((from, to)) => {
                format!(", from {} to {}", time::to_the_second(from), time::to_the_second(to))
            }
            None => String::new(),
        };
        let set = match policy::differences(&policy::set_in(self.policy)) {
            set if set.is_empty() => "the default policy".to_owned(),
            set => set,
        };
        let bands = output::counted(self.band_count.into(), "band", "bands");
        let period = output::period(self.canary_period);
        let text = format!(
            "{runs} of {canary} and {others} of {stable}{span}, with threshold {} %, {bands} over \
             {period}, {set}",
            self.threshold
        );
        output::hanging("", &text)
    }
}

impl Told {
    /// Whether it is more than that time has passed.
    fn is_told(&self) -> bool {
        self.action != "advance"
    }

    fn word(&self) -> &str {
        match self.action.as_str() {
            "promote" => "promoted",
            "rollback" => "rolled back",
            "supersede" => "superseded",
            other => other,
        }
    }

    fn line(&self) -> String {
        output::hanging(&format!("{}  ", time::to_the_second(&self.at)), &self.sentence)
    }
}

impl From<&Decision> for Told {
    fn from(decision: &Decision) -> Self {
        let Decision { at, action, sentence, .. } = decision.clone();
        Self { at, action, sentence }
    }
}

impl From<&Line> for Told {
    fn from(line: &Line) -> Self {
        let Line { at, action, sentence, .. } = line.clone();
        Self { at, action, sentence }
    }
}

/// Which runs of a file were not gone through.
fn passed_over(replayed: &Replayed) -> String {
    let Replayed { release, stable_version, rows, .. } = replayed;
    let others =
        output::counted(rows.of_other_versions, "run of other versions", "runs of other versions");
    let before = match rows.before_the_canary {
        0 => String::new(),
        runs => {
            let (runs, version) = (output::counted(runs, "run", "runs"), &release.semver_version);
            format!(", and {runs} of {stable_version} from before the first of {version}")
        }
    };
    output::hanging("", &format!("passed over: {others}{before}"))
}

/// What the policy judges by and the server does not go through again.
fn not_gone_through(policy: &Policy) -> Option<String> {
    let judges = |judged: &Option<std::collections::BTreeMap<_, _>>| {
        judged.as_ref().is_some_and(|judged| !judged.is_empty())
    };
    match (judges(&policy.readings), policy.report_within.is_some()) {
        (false, false) => None,
        (true, false) => Some("readings are not gone through again".to_owned()),
        (false, true) => Some("answers without a report are not gone through again".to_owned()),
        (true, true) => {
            Some("readings and answers without a report are not gone through again".to_owned())
        }
    }
}
