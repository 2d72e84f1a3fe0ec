//! `canary db`: the schema of the database.

use canary_server::migration::{self, Step, Which};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::serve::{Database, block_on};
use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary db status
  canary db upgrade --db-conn-string 'sqlite:///var/lib/canary.db?mode=rwc'";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Brings the database to the newest schema; `canary serve` does that by itself
    Upgrade(Flags),
    /// Lists the steps of the schema and says which of them the database has
    Status(Flags),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    #[command(flatten)]
    database: Database,
}

/// One step of the schema, as programs see it.
#[derive(Serialize)]
struct StepLine {
    name: String,
    is_applied: bool,
}

impl From<Step> for StepLine {
    fn from(step: Step) -> Self {
        Self { name: step.name, is_applied: step.is_applied }
    }
}

pub(crate) fn run(command: Command, output: &mut Output<'_>) -> Result<Ending, Failure> {
    match command {
        Command::Upgrade(flags) => {
            let settings = flags.database.settings([])?;
            let applied = block_on(async {
                let applied = migration::upgrade(&settings, &Which::default()).await;
                applied.map_err(|error| Failure::refused(error.to_string()))
            })?;
            let applied: Vec<String> = applied.into_iter().map(|step| step.name).collect();
            output.show(&applied, |applied| upgraded(applied))?;
        }
        Command::Status(flags) => {
            let settings = flags.database.settings([])?;
            let steps = block_on(async {
                let steps = migration::status(&settings, &Which::default()).await;
                steps.map_err(|error| Failure::refused(error.to_string()))
            })?;
            let steps: Vec<StepLine> = steps.into_iter().map(Into::into).collect();
            output.show(&steps, |steps| table(steps))?;
        }
    }
    Ok(Ending::Done)
}

fn upgraded(applied: &[String]) -> String {
    match applied {
        [] => "the database has the newest schema".to_owned(),
        names => format!("applied {}", names.join(", ")),
    }
}

fn table(steps: &[StepLine]) -> String {
    let row = |step: &StepLine| {
        let state = if step.is_applied { "applied" } else { "missing" };
        vec![step.name.clone(), state.to_owned()]
    };
    output::columns(&["STEP", "STATE"], &[], steps.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_shown_with_their_state() {
        let step = |name: &str, is_applied| StepLine { name: name.to_owned(), is_applied };
        assert_eq!(
            table(&[step("m1", true), step("m2", false)]),
            "STEP  STATE\nm1    applied\nm2    missing"
        );
        assert_eq!(upgraded(&[]), "the database has the newest schema");
        assert_eq!(upgraded(&["m1".to_owned(), "m2".to_owned()]), "applied m1, m2");
    }
}
