//! `canary reading`: what devices measured.

use canary_client::{Client, Reading, ReadingFilter};
use clap::{Args, Subcommand};

use super::time;
use crate::failure::{Ending, Failure};
use crate::output::Output;

mod export;
mod import;
mod stats;
mod types;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary reading create --device greenhouse-7 --type temperature --value 22
  canary reading import readings.csv.gz
  canary reading export --device greenhouse-7 --type temperature --file readings.csv
  canary reading stats --device greenhouse-7 --type temperature
  canary reading declare wind --unit m/s --minimum 0 --maximum 120";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Create),
    Import(import::Import),
    Export(export::Export),
    Stats(stats::Stats),
    Declare(types::Declare),
    Types(types::Types),
}

/// Reports one value that a device measured
///
/// With a date, the same reading (device, type, second and value) is stored once, however often it
/// is sent; without one, each command is a reading of its own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading create --device greenhouse-7 --type temperature --value 22
  canary reading create --device greenhouse-7 --type humidity --value 61 --version 1.5.0 \\
      --date-created 2031-05-07T10:00:00Z")]
pub(crate) struct Create {
    /// The device that measured, 1 to 128 visible characters
    #[arg(long)]
    device: String,
    /// The type of the value, see `canary reading types`
    #[arg(long = "type", value_name = "TYPE")]
    reading_type: String,
    /// What was measured, in the unit of the type
    #[arg(long, value_name = "NUMBER", value_parser = finite, allow_negative_numbers = true)]
    value: f64,
    /// When it was measured, in RFC 3339 or epoch seconds; parts of a second are dropped
    /// [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::epoch_s, allow_negative_numbers = true)]
    date_created: Option<i64>,
    /// The version that the device ran
    #[arg(long)]
    version: Option<String>,
}

/// From when to when.
#[derive(Debug, Args)]
struct Period {
    /// Only readings from this second on, in RFC 3339 or epoch seconds
    #[arg(long, value_name = "TIME", value_parser = time::epoch_s, allow_negative_numbers = true)]
    start: Option<i64>,
    /// Only readings up to this second, itself included
    #[arg(long, value_name = "TIME", value_parser = time::epoch_s, allow_negative_numbers = true)]
    end: Option<i64>,
}

impl Period {
    /// The readings of a device in this time.
    fn of(&self, device: &str, reading_type: Option<&str>) -> ReadingFilter {
        let mut filter = ReadingFilter::new(device);
        if let Some(name) = reading_type {
            filter = filter.reading_type(name);
        }
        if let Some(epoch_s) = self.start {
            filter = filter.start(epoch_s);
        }
        if let Some(epoch_s) = self.end {
            filter = filter.end(epoch_s);
        }
        filter
    }
}

pub(crate) fn run(
    command: Command,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        Command::Create(create) => {
            client.send_reading(&create.into())?;
            output.show(&"success", |_| "recorded".to_owned())?;
        }
        Command::Import(import) => return import.run(client, output),
        Command::Export(export) => export.run(client, output)?,
        Command::Stats(stats) => stats.run(client, output)?,
        Command::Declare(declare) => declare.run(client, output)?,
        Command::Types(types) => types.run(client, output)?,
    }
    Ok(Ending::Done)
}

impl From<Create> for Reading {
    fn from(create: Create) -> Self {
        let mut reading = Self::new(create.device, create.reading_type, create.value);
        if let Some(epoch_s) = create.date_created {
            reading = reading.date_created(epoch_s);
        }
        if let Some(version) = create.version {
            reading = reading.version(version);
        }
        reading
    }
}

/// A number that is neither infinite nor none.
fn finite(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("must be a number, got `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_finite() {
        assert_eq!(finite("-40.5"), Ok(-40.5));
        for text in ["", "warm", "NaN", "inf", "-infinity"] {
            assert_eq!(finite(text), Err(format!("must be a number, got `{text}`")));
        }
    }

    #[test]
    fn a_period_may_be_open_at_both_ends() {
        let of = |start, end| Period { start, end }.of("d", Some("wind"));
        let wind = ReadingFilter::new("d").reading_type("wind");
        assert_eq!(of(None, None), wind);
        assert_eq!(of(Some(1), Some(2)), wind.start(1).end(2));
    }
}
