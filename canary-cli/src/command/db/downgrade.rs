//! `canary db downgrade`: takes steps of the schema back, with what is stored in their tables.

use std::io::{self, BufRead, IsTerminal as _, Write};

use canary_server::migration::{self, Step};
use clap::Args;

use super::Part;
use super::show::{self, StepLine};
use crate::command::serve::{Database, block_on};
use crate::failure::{Ending, Failure};
use crate::output::Output;

/// Takes the newest steps of the schema back, with all that is stored in their tables
///
/// So many of each lineage in the place of each organization that is meant. Stop all servers first.
/// A person at a terminal is shown the steps and asked; without a terminal, --yes must be given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary db downgrade --name org --schema acme
  canary db downgrade --name org --schema org_acme --steps 2 --yes")]
pub(crate) struct Downgrade {
    /// How many steps
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    steps: u32,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    database: Database,
}

impl Downgrade {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<Ending, Failure> {
        let Self { steps, yes, part, database } = self;
        let (settings, which) = (database.settings([])?, part.which()?);
        if !yes {
            let all = block_on(async { Ok(migration::status(&settings, &which).await?) })?;
            let affected = newest(all, steps);
            let is_terminal = io::stdin().is_terminal();
            let mut answers = io::stdin().lock();
            if !affected.is_empty()
                && !agrees(&affected, is_terminal, &mut answers, &mut io::stderr())?
            {
                output.note("nothing was changed")?;
                return Ok(Ending::Refused);
            }
        }
        let undone = block_on(async { Ok(migration::downgrade(&settings, &which, steps).await?) })?;
        let lines: Vec<StepLine> = undone.into_iter().map(Into::into).collect();
        output.show(&lines, |lines| taken_back(lines))?;
        Ok(Ending::Done)
    }
}

/// The steps that would be taken back: the newest of those that were applied, so many of each
/// lineage in each place.
fn newest(all: Vec<Step>, count: u32) -> Vec<StepLine> {
    let mut newest: Vec<StepLine> = Vec::new();
    for step in all.into_iter().rev().filter(|step| step.is_applied).map(StepLine::from) {
        let is_beside = |other: &&StepLine| {
            other.lineage == step.lineage && other.organization == step.organization
        };
        if newest.iter().filter(is_beside).count() < count as usize {
            newest.push(step);
        }
    }
    newest
}

/// Asks whether these steps shall be taken back, if there is somebody to ask.
fn agrees(
    affected: &[StepLine],
    is_terminal: bool,
    answers: &mut dyn BufRead,
    questions: &mut dyn Write,
) -> Result<bool, Failure> {
    if !is_terminal {
        return Err(Failure::usage("what is stored in the tables of the steps would be lost")
            .hint("give --yes if it may be; `canary db status` shows the steps"));
    }
    writeln!(questions, "{}\n", show::steps(affected, "missing"))?;
    writeln!(questions, "All that is stored in the tables and columns of these steps is lost.")?;
    write!(questions, "Take them back? Only yes means yes: ")?;
    questions.flush()?;
    let mut line = String::new();
    answers.read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

fn taken_back(lines: &[StepLine]) -> String {
    match lines {
        [] => "there was nothing to take back".to_owned(),
        lines => show::steps(lines, "taken back"),
    }
}

#[cfg(test)]
mod tests {
    use canary_server::migration::Lineage;
    use canary_server::organization::OrganizationName;

    use super::*;

    fn step(organization: &str, name: &str, is_applied: bool) -> Step {
        let organization = OrganizationName::parse(organization).unwrap();
        Step { lineage: Lineage::Org, organization, name: name.to_owned(), is_applied }
    }

    fn all() -> Vec<Step> {
        vec![
            step("default", "m1", true),
            step("default", "m2", true),
            step("default", "m3", false),
            step("acme", "m1", true),
        ]
    }

    #[test]
    fn the_newest_steps_of_each_place_are_told() {
        let table = |count| show::steps(&newest(all(), count), "missing");
        let one = "LINEAGE  ORGANIZATION  STEP  STATE\n\
                   org      acme          m1    applied\n\
                   org      default       m2    applied";
        assert_eq!(table(1), one);
        assert_eq!(table(2), format!("{one}\norg      default       m1    applied"));
        assert_eq!(table(u32::MAX), table(2));
    }

    #[test]
    fn a_person_is_shown_what_is_lost_and_must_say_yes() {
        let affected = newest(all(), 1);
        for (answer, want) in [("yes\n", true), (" yes ", true), ("y\n", false), ("", false)] {
            let mut questions = Vec::new();
            let agrees = agrees(&affected, true, &mut answer.as_bytes(), &mut questions);
            assert_eq!(agrees, Ok(want), "{answer:?}");
            let asked = String::from_utf8(questions).unwrap();
            assert!(asked.contains("acme") && asked.contains("is lost"), "{asked}");
        }
    }

    #[test]
    fn a_program_must_say_so_in_its_flags() {
        let mut questions = Vec::new();
        let answer = &mut "yes\n".as_bytes();
        let refused = agrees(&newest(all(), 1), false, answer, &mut questions).unwrap_err();
        assert!(refused.exit_code() == 2 && refused.text().contains("hint: give --yes"));
        assert_eq!(questions, b"");
    }
}
