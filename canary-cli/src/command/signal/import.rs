//! `canary signal import`: the runs in a file.

use canary_client::{Client, Signal};
use clap::Args;

use crate::command::import::Source;
use crate::failure::{Ending, Failure};
use crate::output::Output;

pub(crate) mod mapping;

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
    #[command(flatten)]
    source: Source<mapping::Field>,
}

impl Import {
    pub(super) fn run(self, client: &Client, output: &mut Output<'_>) -> Result<Ending, Failure> {
        self.source.import::<Signal>(client, output)
    }
}

#[cfg(test)]
mod tests;
