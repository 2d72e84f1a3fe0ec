//! `canary signal import`: the runs in a file, in chunks, with a report on what was refused.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use canary_client::{Client, Signal};
use clap::Args;
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Ending, Failure};
use crate::output::Output;

mod mapping;
mod rows;
mod summary;

use mapping::{Field, Mapping};
use rows::Rows;
use summary::{Refusal, Summary};

/// How many signals are sent at once: enough to be fast, few enough to see progress.
const CHUNK: usize = 5_000;

/// Reports the runs in a file
///
/// The file is CSV or NDJSON. Each column is taken for the field of its own name, unless --map or
/// --set says otherwise.
///
/// Fields: artifact_url, semver_version, instance_id, status (these four are needed), description,
/// id, created_date (RFC 3339 or epoch seconds), and measurements.NAME.
///
/// A row without an id gets one that is made of its content, its line number and its artifact URL,
/// so that importing the same file twice counts each run once.
///
/// Exits with 1 if a row was refused; the others are recorded all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary signal import runs.csv --set artifact_url=https://registry.example/etl \\
      --map semver_version=version --map instance_id=run_id --map status=state \\
      --map measurements.duration_s=duration
  canary signal import runs.ndjson.gz --refused refused.csv
  zcat runs.*.gz | canary signal import - --format ndjson")]
pub(crate) struct Import {
    /// The file, also compressed with gzip; - is standard input
    file: PathBuf,
    /// What the file holds [default: by its name]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Take a field from a column of another name; may be given more than once
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = mapping::parse)]
    maps: Vec<(Field, String)>,
    /// Give a field the same value in every row; may be given more than once
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = mapping::parse)]
    sets: Vec<(Field, String)>,
    /// Write every refusal to this file, as CSV
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
}

/// What a file of signals looks like inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Values separated by commas, under a line of names.
    Csv,
    /// One JSON object on each line.
    Ndjson,
}

impl Import {
    pub(super) fn run(self, client: &Client, output: &mut Output<'_>) -> Result<Ending, Failure> {
        let format = self.format.map_or_else(|| format_of(&self.file), Ok)?;
        let mapping = Mapping::new(self.maps, self.sets)?;
        let (file, progress) = open(&self.file)?;
        let rows = Rows::read(format, file).map_err(|failure| at(failure, &self.file))?;
        if let Some(names) = rows.names() {
            mapping.check(&names)?;
        }
        let mut summary = Summary::new(self.refused.as_deref())?;
        let sent = send_all(rows, &mapping, &mut summary, |chunk| {
            Ok(client.send_signals(chunk.iter().map(|(_, signal)| signal.clone()))?)
        });
        progress.finish_and_clear();
        summary.finish()?;
        output.show(&summary, Summary::text)?;
        sent.map_err(|failure| {
            let failure = at(failure, &self.file);
            if summary.has_sent() { failure.hint(AGAIN) } else { failure }
        })?;
        Ok(if summary.refused == 0 { Ending::Done } else { Ending::Refused })
    }
}

const AGAIN: &str = "import the file again when the cause is gone: what was recorded counts once";

fn at(failure: Failure, file: &Path) -> Failure {
    failure.while_doing(file.display())
}

/// Sends what the rows say, chunk by chunk, and counts what became of it.
fn send_all(
    rows: Rows,
    mapping: &Mapping,
    summary: &mut Summary,
    mut send: impl FnMut(&[(u64, Signal)]) -> Result<canary_client::BatchOutcome, Failure>,
) -> Result<(), Failure> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut refusals = Vec::new();
    let mut rows = rows.fuse();
    loop {
        let row = rows.next().transpose()?;
        let is_end = row.is_none();
        if let Some(row) = row {
            summary.read += 1;
            match row.content.and_then(|record| mapping.signal(row.line, &record)) {
                Ok(signal) => chunk.push((row.line, signal)),
                Err(reason) => refusals.push(Refusal::here(row.line, reason)),
            }
        }
        if is_end || chunk.len() + refusals.len() >= CHUNK {
            if !chunk.is_empty() {
                let outcome = send(&chunk)?;
                summary.accepted += outcome.accepted;
                summary.duplicates += outcome.duplicates;
                refusals.extend(outcome.rejected.into_iter().filter_map(|rejection| {
                    // An index that was not sent has been found by the client already.
                    let (line, _) = chunk.get(rejection.index)?;
                    Some(Refusal::of_server(*line, rejection))
                }));
                chunk.clear();
            }
            refusals.sort_by_key(|refusal| refusal.line);
            for refusal in refusals.drain(..) {
                summary.refuse(refusal)?;
            }
        }
        if is_end {
            return Ok(());
        }
    }
}

fn format_of(file: &Path) -> Result<Format, Failure> {
    let name = file.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => Ok(Format::Csv),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        _ => Err(Failure::usage(format!("cannot tell what `{}` holds", file.display()))
            .hint("give --format csv or --format ndjson")),
    }
}

/// The file's text, and a bar that shows how much of the file has been read.
fn open(file: &Path) -> Result<(Box<dyn BufRead>, ProgressBar), Failure> {
    if file.as_os_str() == "-" {
        let progress = ProgressBar::no_length()
            .with_style(style("{spinner} {binary_bytes} read, {binary_bytes_per_sec}"));
        let stdin = progress.wrap_read(io::stdin());
        return Ok((decompressed(stdin).map_err(|error| at(error.into(), file))?, progress));
    }
    let open = || -> io::Result<_> {
        let opened = File::open(file)?;
        let progress = ProgressBar::new(opened.metadata()?.len()).with_style(style(
            "{wide_bar} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
        ));
        let text = decompressed(progress.wrap_read(opened))?;
        Ok((text, progress))
    };
    open().map_err(|error| at(error.into(), file))
}

fn style(template: &str) -> ProgressStyle {
    // Unwrap safety: the templates are constants, and tests open files with both.
    #[expect(clippy::unwrap_used, reason = "the line above")]
    ProgressStyle::with_template(template).unwrap()
}

/// Decompresses what begins as gzip does, whatever its name.
fn decompressed(bytes: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut bytes = BufReader::with_capacity(64 * 1024, bytes);
    if bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(bytes))));
    }
    Ok(Box::new(bytes))
}

#[cfg(test)]
mod tests;
