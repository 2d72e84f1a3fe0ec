//! What was measured, as Markdown.

use std::fmt;

use canary_benches::bulk::Sent;
use canary_benches::figures::median;
use canary_benches::rounds::{Round, Rounds};
use canary_benches::table::{machine, write_head, write_preface, write_row};

/// For people, in the order of [`Signals::ours`].
pub(crate) const TITLES: [&str; 3] =
    ["SQLite, one server", "PostgreSQL, one server", "PostgreSQL, two servers"];

/// The part of the hello's speed that is aimed at.
const TARGET: f64 = 0.5;

/// All that was measured so far; printed at the end.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) signals: Vec<Signals>,
    pub(crate) bulk: Vec<Bulk>,
}

/// Rounds of signals, one of each kind in turn.
pub(crate) struct Signals {
    rounds: Rounds,
    pub(crate) hello: Vec<Round>,
    pub(crate) ours: [Vec<Round>; 3],
}

/// Readings, many in each request.
pub(crate) struct Bulk {
    pub(crate) title: &'static str,
    pub(crate) callers: u32,
    pub(crate) sent: Sent,
}

impl Signals {
    pub(crate) const fn of(rounds: Rounds) -> Self {
        Self { rounds, hello: Vec::new(), ours: [Vec::new(), Vec::new(), Vec::new()] }
    }

    /// How many times as fast as the one before it each of ours was, in the median over the turns.
    fn ratio(&self, place: usize, to: &[Round]) -> f64 {
        let pairs = self.ours[place].iter().zip(to);
        median(pairs.map(|(ours, other)| ours.per_second / other.per_second))
    }

    /// What the last turn brought.
    pub(crate) fn last(&self) -> String {
        let last = |rounds: &[Round]| rounds.last().map_or(f64::NAN, |round| round.per_second);
        let mut line = format!("hello {:.0}/s", last(&self.hello));
        for (title, rounds) in TITLES.iter().zip(&self.ours) {
            line.push_str(&format!("; {title} {:.0}/s", last(rounds)));
        }
        line
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for signals in &self.signals {
            writeln!(formatter, "## Durable `POST /signal`\n")?;
            write_preface(formatter, &signals.rounds)?;
            write_head(formatter)?;
            write_row(formatter, "hello", &signals.hello.iter().collect::<Vec<_>>(), 1.0, "")?;
            for (place, title) in TITLES.iter().enumerate() {
                let rounds: Vec<&Round> = signals.ours[place].iter().collect();
                let ratio = signals.ratio(place, &signals.hello);
                write_row(formatter, title, &rounds, ratio, &format!("{TARGET}"))?;
            }
            let together = signals.ratio(2, &signals.ours[1]);
            writeln!(formatter, "\nTwo servers on PostgreSQL beside one: {together:.2}.\n")?;
            let errors = signals.ours.iter().flatten().map(|round| round.errors).sum::<u64>();
            writeln!(formatter, "Requests that failed: {errors}.\n")?;
        }
        if !self.bulk.is_empty() {
            self.write_bulk(formatter)?;
        }
        Ok(())
    }
}

impl Report {
    fn write_bulk(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "## Readings, 10 000 in each `POST /readings`\n\n{}\n", machine())?;
        writeln!(
            formatter,
            "| what | connections | M readings/s | ratio to SQLite | last tenth to first | p50 ms | p99 ms |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        let mut first = f64::NAN;
        for Bulk { title, callers, sent } in &self.bulk {
            if *title == TITLES[0] {
                first = sent.per_second();
            }
            let latencies = sent.latencies();
            writeln!(
                formatter,
                "| {title} | {callers} | {:.2} | {:.2} | {:.2} | {:.1} | {:.1} |",
                sent.per_second() / 1e6,
                sent.per_second() / first,
                sent.per_second_of_tenth(9) / sent.per_second_of_tenth(0),
                latencies.at_ms(0.5),
                latencies.at_ms(0.99),
            )?;
        }
        Ok(())
    }
}
