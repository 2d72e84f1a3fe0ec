//! What was measured, as Markdown.

use std::fmt;
use std::time::Duration;

use canary_benches::figures::median;
use canary_benches::rounds::{Pair, Round, Rounds};
use canary_benches::server::Memory;
use canary_benches::table::{write_head, write_preface, write_row};

use canary_benches::traffic::{Scenario, Setup};

/// Most memory that a full server should have.
const MEMORY_TARGET_MIB: f64 = 64.0;

/// All that was measured so far; printed at the end.
pub(crate) struct Report {
    rounds: Rounds,
    hello: Vec<Round>,
    first: Vec<(Scenario, Vec<Pair>)>,
    filled: Option<(Setup, Duration)>,
    again: Vec<(Scenario, Vec<Pair>)>,
    memory: Vec<(&'static str, Memory)>,
    errors: u64,
    first_error: Option<String>,
}

impl Report {
    pub(crate) const fn new(rounds: Rounds) -> Self {
        Self {
            rounds,
            hello: Vec::new(),
            first: Vec::new(),
            filled: None,
            again: Vec::new(),
            memory: Vec::new(),
            errors: 0,
            first_error: None,
        }
    }

    /// Rounds of the hello alone.
    pub(crate) fn hello(&mut self, rounds: Vec<Round>) {
        rounds.iter().for_each(|round| self.count_errors(round));
        self.hello.extend(rounds);
    }

    /// Pairs on a nearly empty database.
    pub(crate) fn first(&mut self, scenario: Scenario, pairs: Vec<Pair>) {
        self.add(&pairs);
        self.first.push((scenario, pairs));
    }

    /// How long the signals of the setup took.
    pub(crate) fn filled(&mut self, setup: Setup, took: Duration) {
        self.filled = Some((setup, took));
    }

    /// Pairs on the filled database.
    pub(crate) fn again(&mut self, scenario: Scenario, pairs: Vec<Pair>) {
        self.add(&pairs);
        self.again.push((scenario, pairs));
    }

    /// The memory of the server at some moment.
    pub(crate) fn memory(&mut self, when: &'static str, memory: Memory) {
        self.memory.push((when, memory));
    }

    /// A round of which only the errors matter.
    pub(crate) fn count_errors(&mut self, round: &Round) {
        self.errors += round.errors;
        self.first_error = self.first_error.take().or_else(|| round.first_error.clone());
    }

    pub(crate) const fn errors(&self) -> u64 {
        self.errors
    }

    fn add(&mut self, pairs: &[Pair]) {
        for Pair { hello, ours } in pairs {
            self.count_errors(hello);
            self.count_errors(ours);
            self.hello.push(hello.clone());
        }
    }

    fn write_speed(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(formatter)?;
        let hello: Vec<&Round> = self.hello.iter().collect();
        write_row(formatter, "bare poem hello", &hello, 1.0, "")?;
        for (scenario, pairs) in &self.first {
            write_pairs(formatter, scenario.title(), *scenario, pairs, None)?;
        }
        for (scenario, pairs) in &self.again {
            let first = self.first.iter().find(|(other, _)| other == scenario);
            let title = format!("{}, filled", scenario.title());
            write_pairs(formatter, &title, *scenario, pairs, first.map(|(_, first)| &**first))?;
        }
        Ok(())
    }

    fn write_filling(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((setup, took)) = self.filled else { return Ok(()) };
        let seconds = took.as_secs_f64();
        writeln!(
            formatter,
            "\nFilled with {} products, {} releases, and {} signals in {seconds:.1} s: {:.0} signals/s \
             through `POST /signal/batch`.",
            setup.products,
            setup.releases(),
            setup.signals,
            setup.signals as f64 / seconds
        )
    }

    fn write_memory(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.memory.is_empty() {
            return Ok(());
        }
        writeln!(
            formatter,
            "\n| memory | resident MiB | peak MiB | target |\n| --- | ---: | ---: | --- |"
        )?;
        for (when, Memory { resident_kib, peak_kib }) in &self.memory {
            let (resident, peak) = (*resident_kib as f64 / 1024.0, *peak_kib as f64 / 1024.0);
            let met = if resident <= MEMORY_TARGET_MIB { "met" } else { "missed" };
            writeln!(
                formatter,
                "| {when} | {resident:.1} | {peak:.1} | {MEMORY_TARGET_MIB} MiB, {met} |"
            )?;
        }
        Ok(())
    }

    fn write_rounds(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "\nAll pairs of rounds, hello/s → ours/s (ratio):\n")?;
        let titled = [("", &self.first), (", filled", &self.again)];
        for (suffix, scenarios) in titled {
            for (scenario, pairs) in scenarios {
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|pair| {
                        let (hello, ours) = (pair.hello.per_second, pair.ours.per_second);
                        format!("{hello:.0} → {ours:.0} ({:.2})", pair.ratio())
                    })
                    .collect();
                writeln!(formatter, "* {}{suffix}: {}", scenario.title(), pairs.join(", "))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_preface(formatter, &self.rounds)?;
        if !self.hello.is_empty() {
            self.write_speed(formatter)?;
        }
        self.write_filling(formatter)?;
        self.write_memory(formatter)?;
        if !self.first.is_empty() {
            self.write_rounds(formatter)?;
        }
        write!(formatter, "\nErrors: {}", self.errors)?;
        match &self.first_error {
            Some(error) => write!(formatter, ", the first: {error}"),
            None => Ok(()),
        }
    }
}

fn write_pairs(
    formatter: &mut fmt::Formatter<'_>,
    title: &str,
    scenario: Scenario,
    pairs: &[Pair],
    first: Option<&[Pair]>,
) -> fmt::Result {
    let ratio = median(pairs.iter().map(Pair::ratio));
    let met = if ratio >= scenario.target() { "met" } else { "missed" };
    let mut target = format!("{}, {met}", scenario.target());
    if let Some(first) = first {
        let before = median(first.iter().map(Pair::ratio));
        target = format!("{target}; {:.2} of the first ratio", ratio / before);
    }
    let ours: Vec<&Round> = pairs.iter().map(|pair| &pair.ours).collect();
    write_row(formatter, title, &ours, ratio, &target)
}
