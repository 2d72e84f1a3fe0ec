//! `canary signal`: how runs ended.

use canary_client::{Client, Signal};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::name_and_value;
use crate::failure::{Ending, Failure};
use crate::output::Output;

pub(crate) mod import;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary signal create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --instance-id run-17 --status success
  canary signal import runs.csv --set artifact_url=https://registry.example/etl";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reports how one run ended
    Create(Create),
    Import(import::Import),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary signal create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --instance-id run-17 --status success --description 'all rows loaded'
  canary signal create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --instance-id run-18 --status failed --description 'out of memory' \\
      --measurement peak_memory_mib=8192")]
pub(crate) struct Create {
    /// success, failed or neutral, or another common word for it
    #[arg(long)]
    status: String,
    /// What a person should know about the run
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// What ran
    #[arg(long, value_name = "ID")]
    instance_id: String,
    /// The version that ran
    #[arg(long, value_name = "VERSION")]
    semver_version: String,
    /// Where the product's builds are found
    #[arg(long, value_name = "URL")]
    artifact_url: String,
    /// A number that was measured; may be given more than once
    #[arg(long = "measurement", value_name = "NAME=NUMBER", value_parser = measurement)]
    measurements: Vec<(String, f64)>,
    /// When the run ended, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    created_date: Option<String>,
    /// A UUID: the same id counts once, however often it is sent
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
}

/// What is answered to a new signal.
#[derive(Serialize)]
struct Created {
    id: String,
}

pub(crate) fn run(
    command: Command,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        Command::Create(create) => {
            let created = Created { id: client.send_signal(&create.into())? };
            output.show(&created, |created| format!("recorded as {}", created.id))?;
            Ok(Ending::Done)
        }
        Command::Import(import) => import.run(client, output),
    }
}

impl From<Create> for Signal {
    fn from(create: Create) -> Self {
        let mut signal = Self::new(
            create.artifact_url,
            create.semver_version,
            create.instance_id,
            create.status,
        )
        .description(create.description);
        for (name, value) in create.measurements {
            signal = signal.measurement(name, value);
        }
        if let Some(date) = create.created_date {
            signal = signal.created_date(date);
        }
        if let Some(id) = create.id {
            signal = signal.id(id);
        }
        signal
    }
}

fn measurement(text: &str) -> Result<(String, f64), String> {
    let (name, value) = name_and_value(text)?;
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((name.to_owned(), number)),
        _ => Err(format!("`{value}` must be a finite number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_a_name_and_a_number() {
        assert_eq!(measurement("latency_ms=1.5"), Ok(("latency_ms".to_owned(), 1.5)));
        for text in ["latency_ms", "=1", "latency_ms=", "latency_ms=fast", "latency_ms=NaN"] {
            assert!(measurement(text).is_err(), "{text}");
        }
    }
}
