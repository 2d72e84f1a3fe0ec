//! Statistics without a server: what a column of numbers looks like, in one pass.
//!
//! ```text
//! cargo run --example summarise -p canary-examples
//! cargo run --example summarise -p canary-examples -- rooms.csv --column temperature
//! seq 100 | cargo run --example summarise -p canary-examples -- -
//! ```
//!
//! Reads CSV with or without a line of names, or one number per line, gzipped or not.
//! Numbers are kept one by one while few are different, and in bins from then on: a file of any
//! length takes no more memory, and the last line tells how far the answers may be off.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use canary_core::stats::{Accuracy, Domain, Summary};
use canary_examples::flights::SAMPLE;
use clap::Parser;
use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;

/// What every gzipped file begins with.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Prints the statistics of one column of numbers.
#[derive(Debug, Parser)]
struct Flags {
    /// A file of numbers, `-` for standard input [default: the arrival delays of the sample]
    file: Option<PathBuf>,
    /// The column, by its name or counted from 1 [default: the first]
    #[arg(long)]
    column: Option<String>,
    /// The smallest of the whole numbers there can be: counts them all, and refuses any other
    #[arg(long, requires = "maximum", allow_negative_numbers = true)]
    minimum: Option<i64>,
    /// The greatest of them
    #[arg(long, requires = "minimum", allow_negative_numbers = true)]
    maximum: Option<i64>,
}

/// What was read.
struct Column {
    name: String,
    summary: Summary,
    /// Rows without a value.
    empty: u64,
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(column) => {
            print!("{column}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("summarise: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<Column, Box<dyn Error>> {
    let domain = domain(flags)?;
    let (file, column) = match &flags.file {
        Some(file) => (file.as_path(), "1"),
        None => (Path::new(SAMPLE), "arrival_delay_min"),
    };
    read(file, flags.column.as_deref().unwrap_or(column), domain)
}

fn domain(flags: &Flags) -> Result<Domain, String> {
    let (Some(minimum), Some(maximum)) = (flags.minimum, flags.maximum) else {
        return Ok(Domain::Continuous);
    };
    match Domain::of_integers(minimum, maximum) {
        Domain::Continuous => Err(format!(
            "cannot count the whole numbers from {minimum} to {maximum}: 1 to {} are counted",
            Domain::MOST_COUNTED
        )),
        counted @ Domain::Counted { .. } => Ok(counted),
    }
}

fn read(file: &Path, column: &str, domain: Domain) -> Result<Column, Box<dyn Error>> {
    let in_file = |cause: Box<dyn Error>| format!("cannot read `{}`: {cause}", file.display());
    let input = open(file).map_err(in_file)?;
    let rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    Ok(summarise(rows, column, domain).map_err(in_file)?)
}

/// The bytes of a file, unpacked if need be.
fn open(file: &Path) -> Result<Box<dyn Read>, Box<dyn Error>> {
    let mut bytes: Box<dyn BufRead> = match file.to_str() {
        Some("-") => Box::new(stdin().lock()),
        _ => Box::new(BufReader::new(File::open(file)?)),
    };
    let is_gzipped = bytes.fill_buf()?.starts_with(&GZIP);
    Ok(if is_gzipped { Box::new(MultiGzDecoder::new(bytes)) } else { bytes })
}

fn summarise(
    mut rows: csv::Reader<impl Read>,
    column: &str,
    domain: Domain,
) -> Result<Column, Box<dyn Error>> {
    let mut row = StringRecord::new();
    let mut has_row = rows.read_record(&mut row)?;
    let place = place(&row, column)?;
    let mut name = format!("column {}", place + 1);
    // A first row that is no number says what the others are.
    if let Some(first) = row.get(place).filter(|first| first.trim().parse::<f64>().is_err()) {
        name = first.to_owned();
        has_row = rows.read_record(&mut row)?;
    }
    let (mut summary, mut empty) = (Summary::new(domain), 0);
    while has_row {
        let line = row.position().map_or(0, csv::Position::line);
        match row.get(place).map_or("", str::trim) {
            "" => empty += 1,
            text => observe(&mut summary, text, line)?,
        }
        has_row = rows.read_record(&mut row)?;
    }
    Ok(Column { name, summary, empty })
}

/// Where the column is, counted from 0.
fn place(first: &StringRecord, column: &str) -> Result<usize, String> {
    if let Some(place) = first.iter().position(|name| name == column) {
        return Ok(place);
    }
    match column.parse::<usize>() {
        Ok(number @ 1..) => Ok(number - 1),
        _ => Err(format!(
            "there is no column `{column}`, only {}",
            first.iter().collect::<Vec<_>>().join(", ")
        )),
    }
}

/// Takes a number in; the time that is kept with it is its line.
fn observe(summary: &mut Summary, text: &str, line: u64) -> Result<(), String> {
    let value = text.parse().map_err(|_| format!("line {line}: `{text}` is not a number"))?;
    let line_number = i64::try_from(line).unwrap_or(i64::MAX);
    summary.observe(value, line_number).map_err(|error| format!("line {line}: {error}"))
}

impl Display for Column {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, summary, empty } = self;
        writeln!(formatter, "{name}: {} values, {empty} rows without one", summary.count())?;
        let (Some(min), Some(max), Some(hinges)) = (summary.min(), summary.max(), summary.hinges())
        else {
            return Ok(());
        };
        let mut line = |name: &str, value: Option<f64>, note: &str| match value {
            Some(value) => writeln!(formatter, "  {name:<18} {value:>14.4}{note}"),
            None => Ok(()),
        };
        line("min", Some(min.value), &format!("  last in line {}", min.newest))?;
        line("lower hinge", Some(hinges.lower), "")?;
        line("median", summary.median().map(|median| median.value), "")?;
        line("upper hinge", Some(hinges.upper), "")?;
        line("95 % are below", summary.quantile(0.95).ok().flatten(), "")?;
        line("99 % are below", summary.quantile(0.99).ok().flatten(), "")?;
        line("max", Some(max.value), &format!("  last in line {}", max.newest))?;
        line("mode", summary.mode(), "")?;
        line("mean", summary.mean(), "")?;
        line("standard deviation", summary.variance().map(f64::sqrt), "")?;
        match summary.accuracy() {
            Accuracy::Exact => writeln!(formatter, "exact"),
            Accuracy::Relative(part) => {
                let percent = part * 100.0;
                writeln!(formatter, "min and max are exact, mean and deviation but for rounding;")?;
                writeln!(formatter, "the rest is within {percent} %, the mode of the fullest bin")
            }
        }
    }
}
