//! `canary reading`: what devices measured.

use canary_client::{Client, Reading};
use clap::{Args, Subcommand};

use self::period::Period;
use super::time;
use crate::failure::{Ending, Failure};
use crate::output::Output;

mod export;
mod import;
mod period;
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
}
