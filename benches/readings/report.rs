//! What was measured, as Markdown.

use std::fmt;

use canary_benches::figures::median;
use canary_benches::rounds::{Pair, Round, Rounds};
use canary_benches::table::{machine, write_head, write_preface, write_row};

use crate::ingest::{Aftermath, Ingest};
use crate::statistics::Summaries;

/// All that was measured so far; printed at the end.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) ceiling: Option<Ingest>,
    /// In the order in which they are told.
    pub(crate) ingests: Vec<Ingest>,
    pub(crate) paced: Option<Ingest>,
    pub(crate) single: Option<(Rounds, Vec<Pair>)>,
    pub(crate) statistics: Vec<Summaries>,
    /// Whose readings, and how many rows of them a second.
    pub(crate) scale: Vec<(&'static str, f64)>,
}

impl Report {
    fn all(&self) -> impl Iterator<Item = &Ingest> {
        self.ceiling.iter().chain(&self.ingests).chain(&self.paced)
    }

    fn write_ingests(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "\n| taking in | M readings/s | of the ceiling | first tenth → last | ratio \
             | p50 ms | p90 ms | p99 ms | max ms | server ns | generator ns | peak MiB | written B | 503s |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        let ceiling = self.ceiling.as_ref().map_or(f64::NAN, |ceiling| ceiling.sent.per_second());
        self.all().try_for_each(|ingest| write_ingest(formatter, ingest, ceiling))?;
        writeln!(
            formatter,
            "\nEach request carries 10 000 readings, and one is in flight on each of 8 connections; at a given \
             pace a latency counts from the moment at which the request was due.\n`server ns`, `generator ns` are processor time and `written B` bytes caused to be written to \
             disk for one reading, both while the load ran."
        )
    }

    fn write_aftermath(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "\n| what stays | M readings | unfolded at the end of the load | folding took s | M readings/s with it \
             | left unfolded | peak MiB | written B | on disk B | without free pages B |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for ingest in self.all() {
            if let Some(aftermath) = &ingest.aftermath {
                write_aftermath(formatter, ingest, aftermath)?;
            }
        }
        writeln!(formatter, "\nBytes are for one reading; the files are those of an ended server.")
    }

    fn write_single(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((rounds, pairs)) = &self.single else { return Ok(()) };
        writeln!(formatter, "\nOne reading in each request:\n")?;
        write_preface(formatter, rounds)?;
        write_head(formatter)?;
        let (hello, ours): (Vec<&Round>, Vec<&Round>) =
            pairs.iter().map(|pair| (&pair.hello, &pair.ours)).unzip();
        write_row(formatter, "bare poem hello", &hello, 1.0, "")?;
        let ratio = median(pairs.iter().map(Pair::ratio));
        write_row(formatter, "reading, durable", &ours, ratio, "")
    }

    fn write_statistics(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "\n| summary of one device | readings | requests | p50 ms | p99 ms | max ms |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for Summaries { title, readings, latencies } in &self.statistics {
            writeln!(
                formatter,
                "| {title} | {readings} | {} | {:.2} | {:.2} | {:.1} |",
                latencies.count(),
                latencies.at_ms(0.5),
                latencies.at_ms(0.99),
                latencies.max_ms()
            )?;
        }
        Ok(())
    }

    fn write_scale(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "\n| single rows in an indexed SQLite table, no HTTP | M readings/s | ours / it |\n\
             | --- | ---: | ---: |"
        )?;
        for (name, per_second) in &self.scale {
            let ours = self.ingests.iter().find(|ingest| ingest.title.starts_with(name));
            let ratio = ours.map(|ours| ours.sent.per_second() / per_second);
            let ratio = ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.1}"));
            writeln!(formatter, "| {name} | {:.3} | {ratio} |", per_second / 1e6)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}; server and generator share them.", machine())?;
        if self.all().next().is_some() {
            self.write_ingests(formatter)?;
        }
        if self.all().any(|ingest| ingest.aftermath.is_some()) {
            self.write_aftermath(formatter)?;
        }
        self.write_single(formatter)?;
        if !self.statistics.is_empty() {
            self.write_statistics(formatter)?;
        }
        if !self.scale.is_empty() {
            self.write_scale(formatter)?;
        }
        Ok(())
    }
}

fn write_ingest(formatter: &mut fmt::Formatter<'_>, ingest: &Ingest, ceiling: f64) -> fmt::Result {
    let Ingest { title, sent, .. } = ingest;
    let (first, last) = (sent.per_second_of_tenth(0), sent.per_second_of_tenth(9));
    let latencies = sent.latencies();
    writeln!(
        formatter,
        "| {title} | {:.2} | {:.2} | {:.2} → {:.2} | {:.2} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {} |",
        sent.per_second() / 1e6,
        sent.per_second() / ceiling,
        first / 1e6,
        last / 1e6,
        last / first,
        latencies.at_ms(0.5),
        latencies.at_ms(0.9),
        latencies.at_ms(0.99),
        latencies.max_ms(),
        ingest.each(ingest.server_busy.as_secs_f64() * 1e9),
        ingest.each(ingest.generator_busy.as_secs_f64() * 1e9),
        ingest.peak_kib as f64 / 1024.0,
        ingest.each(ingest.written_bytes as f64),
        sent.refused,
    )
}

fn write_aftermath(
    formatter: &mut fmt::Formatter<'_>,
    ingest: &Ingest,
    aftermath: &Aftermath,
) -> fmt::Result {
    let Ingest { title, sent, .. } = ingest;
    let Aftermath { backlog, written_bytes, peak_kib, disk } = aftermath;
    let folded = sent.readings.saturating_sub(backlog.left) as f64;
    writeln!(
        formatter,
        "| {title} | {:.1} | {} | {:.1} | {:.2} | {} | {:.0} | {:.1} | {:.2} | {:.2} |",
        sent.readings as f64 / 1e6,
        backlog.begin,
        backlog.took.as_secs_f64(),
        folded / (sent.elapsed + backlog.took).as_secs_f64() / 1e6,
        backlog.left,
        *peak_kib as f64 / 1024.0,
        ingest.each(*written_bytes as f64),
        ingest.each(disk.file_bytes as f64),
        ingest.each(disk.used_bytes as f64),
    )
}
