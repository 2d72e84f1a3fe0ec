//! `canary reading import`: the readings in a file.

use std::borrow::Cow;

use canary_client::{Client, Reading, Rejection};
use clap::Args;

use super::finite;
use crate::command::import::{self, Item, Mapping, Record, Source, Summary};
use crate::command::time;
use crate::failure::{Ending, Failure};
use crate::output::Output;

/// Reports the readings in a file
///
/// The file is CSV or NDJSON. Each column is taken for the field of its own name, unless --map or
/// --set says otherwise.
///
/// Fields: device_uuid, type, value, date_created (RFC 3339 or epoch seconds; parts of a second are
/// dropped; these four are needed), and version.
///
/// The same reading (device, type, second and value) is stored once, so that the same file can be
/// imported again.
///
/// Exits with 1 if a row was refused; the others are recorded all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading import readings.csv
  canary reading import greenhouse-7.csv --set device_uuid=greenhouse-7 --set type=temperature \\
      --map value=celsius --map date_created=measured_at
  canary reading import readings.ndjson.gz --refused refused.csv
  zcat readings.*.gz | canary reading import - --format ndjson")]
pub(crate) struct Import {
    #[command(flatten)]
    source: Source<Field>,
}

impl Import {
    pub(super) fn run(self, client: &Client, output: &mut Output<'_>) -> Result<Ending, Failure> {
        self.source.import::<Reading>(client, output)
    }
}

/// One field of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    DeviceUuid,
    Type,
    Value,
    DateCreated,
    Version,
}

impl import::Field for Field {
    const PLAIN: &'static [Self] =
        &[Self::DeviceUuid, Self::Type, Self::Value, Self::DateCreated, Self::Version];
    // Without a date, every import of the same file would store its readings once more, and equal
    // values of one import would be taken for one reading.
    const NEEDED: &'static [Self] = &[Self::DeviceUuid, Self::Type, Self::Value, Self::DateCreated];

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::DeviceUuid => "device_uuid",
            Self::Type => "type",
            Self::Value => "value",
            Self::DateCreated => "date_created",
            Self::Version => "version",
        })
    }
}

impl Item for Reading {
    type Field = Field;
    const CHUNK: usize = 20_000;
    const TELLS_DUPLICATES: bool = false;

    fn of(mapping: &Mapping<Field>, _line: u64, record: &Record) -> Result<Self, String> {
        let named = |field: &str, reason: String| format!("{field} {reason}");
        let device = mapping.needed(&Field::DeviceUuid, record)?;
        let reading_type = mapping.needed(&Field::Type, record)?;
        let value = finite(&mapping.needed(&Field::Value, record)?);
        let date = time::epoch_s(&mapping.needed(&Field::DateCreated, record)?);
        let reading = Self::new(device, reading_type, value.map_err(|why| named("value", why))?)
            .date_created(date.map_err(|why| named("date_created", why))?);
        Ok(match mapping.value(&Field::Version, record) {
            Some(version) => reading.version(version),
            None => reading,
        })
    }

    fn send(
        chunk: Vec<Self>,
        client: &Client,
        summary: &mut Summary,
    ) -> Result<Vec<Rejection>, Failure> {
        let outcome = client.send_readings(chunk)?;
        summary.accepted += outcome.accepted;
        Ok(outcome.rejected)
    }
}

#[cfg(test)]
mod tests;
