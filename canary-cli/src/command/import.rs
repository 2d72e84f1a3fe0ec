//! Importing: the rows of a file, in chunks, with a report on what was refused.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use canary_client::{Client, Rejection};
use clap::Args;
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Ending, Failure};
use crate::output::Output;

mod mapping;
mod rows;
mod summary;

pub(crate) use mapping::{Field, Mapping, parse};
pub(crate) use rows::{Record, Rows};
pub(crate) use summary::{Refusal, Summary};

/// What the rows of a file become.
pub(crate) trait Item: Sized {
    /// What the columns are taken for.
    type Field: Field;
    /// How many are sent at once: enough to be fast, few enough to see progress.
    const CHUNK: usize;
    /// Whether the server tells those that it knew already.
    const TELLS_DUPLICATES: bool;

    /// What a row says, or why it cannot be sent.
    fn of(mapping: &Mapping<Self::Field>, line: u64, record: &Record) -> Result<Self, String>;

    /// Sends a chunk, counts what was accepted, and gives what was not.
    fn send(
        chunk: Vec<Self>,
        client: &Client,
        summary: &mut Summary,
    ) -> Result<Vec<Rejection>, Failure>;
}

/// Which file is imported, and how it is understood.
#[derive(Debug, Args)]
pub(crate) struct Source<F: Field> {
    /// The file, also compressed with gzip; - is standard input
    file: PathBuf,
    /// What the file holds [default: by its name]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Take a field from a column of another name; may be given more than once
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = parse::<F>)]
    maps: Vec<(F, String)>,
    /// Give a field the same value in every row; may be given more than once
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = parse::<F>)]
    sets: Vec<(F, String)>,
    /// Write every refusal to this file, as CSV
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
}

/// What a file looks like inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Values separated by commas, under a line of names.
    Csv,
    /// One JSON object on each line.
    Ndjson,
}

impl<F: Field> Source<F> {
    /// Sends all that the file holds, and shows what became of it.
    pub(crate) fn import<T: Item<Field = F>>(
        self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<Ending, Failure> {
        let format = self.format.map_or_else(|| known_format_of(&self.file), Ok)?;
        let mapping = Mapping::new(self.maps, self.sets)?;
        let (file, progress) = open(&self.file)?;
        let rows = Rows::read(format, file).map_err(|failure| at(failure, &self.file))?;
        if let Some(names) = rows.names() {
            mapping.check(&names)?;
        }
        let mut summary = Summary::new(self.refused.as_deref(), T::TELLS_DUPLICATES)?;
        let sent = send_all(rows, &mapping, &mut summary, |chunk: Vec<T>, summary| {
            T::send(chunk, client, summary)
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

/// Puts the file before what went wrong with it.
pub(crate) fn at(failure: Failure, file: &Path) -> Failure {
    failure.while_doing(file.display())
}

/// Sends what the rows say, chunk by chunk, and counts what became of it.
pub(crate) fn send_all<T: Item>(
    rows: Rows,
    mapping: &Mapping<T::Field>,
    summary: &mut Summary,
    mut send: impl FnMut(Vec<T>, &mut Summary) -> Result<Vec<Rejection>, Failure>,
) -> Result<(), Failure> {
    let mut chunk = Chunk::new();
    for row in rows {
        let row = row?;
        summary.read += 1;
        match row.content.and_then(|record| T::of(mapping, row.line, &record)) {
            Ok(item) => {
                chunk.lines.push(row.line);
                chunk.items.push(item);
            }
            Err(reason) => chunk.refusals.push(Refusal::here(row.line, reason)),
        }
        if chunk.items.len() + chunk.refusals.len() >= T::CHUNK {
            std::mem::replace(&mut chunk, Chunk::new()).send(summary, &mut send)?;
        }
    }
    chunk.send(summary, &mut send)
}

/// What was read and not yet told.
struct Chunk<T> {
    items: Vec<T>,
    /// The line of each item.
    lines: Vec<u64>,
    refusals: Vec<Refusal>,
}

impl<T: Item> Chunk<T> {
    fn new() -> Self {
        let (items, lines) = (Vec::with_capacity(T::CHUNK), Vec::with_capacity(T::CHUNK));
        Self { items, lines, refusals: Vec::new() }
    }

    /// Sends the items, and tells of all refusals in the order of their lines.
    fn send(
        self,
        summary: &mut Summary,
        send: &mut impl FnMut(Vec<T>, &mut Summary) -> Result<Vec<Rejection>, Failure>,
    ) -> Result<(), Failure> {
        let Self { items, lines, mut refusals } = self;
        if !items.is_empty() {
            let rejected = send(items, summary)?.into_iter();
            // An index that was not sent has been found by the client already.
            refusals.extend(rejected.filter_map(|rejection| {
                Some(Refusal::of_server(*lines.get(rejection.index)?, rejection))
            }));
        }
        refusals.sort_by_key(|refusal| refusal.line);
        refusals.into_iter().try_for_each(|refusal| summary.refuse(refusal))
    }
}

fn known_format_of(file: &Path) -> Result<Format, Failure> {
    format_of(file).ok_or_else(|| {
        Failure::usage(format!("cannot tell what `{}` holds", file.display()))
            .hint("give --format csv or --format ndjson")
    })
}

/// What a file holds by its name, compressed or not.
pub(crate) fn format_of(file: &Path) -> Option<Format> {
    let name = file.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "csv" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        _ => None,
    }
}

/// The file's text, and a bar that shows how much of the file has been read.
pub(crate) fn open(file: &Path) -> Result<(Box<dyn BufRead>, ProgressBar), Failure> {
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
pub(crate) fn decompressed(bytes: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut bytes = BufReader::with_capacity(64 * 1024, bytes);
    if bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(bytes))));
    }
    Ok(Box::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_what_it_holds() {
        let cases = [
            ("runs.csv", Some(Format::Csv)),
            ("RUNS.CSV.GZ", Some(Format::Csv)),
            ("a.b/runs.ndjson.gz", Some(Format::Ndjson)),
            ("runs.jsonl", Some(Format::Ndjson)),
            ("runs.parquet", None),
            ("runs", None),
            ("-", None),
        ];
        for (name, want) in cases {
            assert_eq!(format_of(Path::new(name)), want, "{name}");
            assert_eq!(known_format_of(Path::new(name)).is_ok(), want.is_some(), "{name}");
        }
    }

    #[test]
    fn files_are_opened_with_a_bar_and_missing_ones_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("runs.csv");
        std::fs::write(&path, "a,b\n").unwrap();
        assert!(open(&path).is_ok());
        assert!(open(Path::new("-")).is_ok());
        let failure = open(&directory.path().join("none.csv")).err().unwrap();
        assert!(failure.text().contains("none.csv: "), "{}", failure.text());
    }
}
