//! `canary org`: who has everything of their own, and sees nothing of others.
//!
//! Works on the database, not on a server.

use canary_server::clock::{Clock as _, System};
use canary_server::organization::{self, Organization, OrganizationName, OrganizationNameError};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::serve::{Database, block_on};
use super::time;
use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary org create acme
  canary org list";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Create),
    List(List),
}

/// Makes an organization, with tables of its own
///
/// On PostgreSQL they are in a schema, as org_acme; on SQLite in a file beside that of the
/// database, as canary.acme.db. Servers that run on the database need no restart.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary org create acme
  canary key create --organization acme --name operator --scope admin")]
pub(crate) struct Create {
    /// A name that no other has: 1 to 63 characters of a-z, 0-9 and -, beginning with a letter
    #[arg(value_parser = name)]
    name: OrganizationName,
    #[command(flatten)]
    database: Database,
}

/// Lists organizations, the oldest first
///
/// `default` is there from the start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary org list
  canary org list --output json")]
pub(crate) struct List {
    #[command(flatten)]
    database: Database,
}

/// An organization, with the names of the API.
#[derive(Serialize)]
struct Line {
    id: String,
    name: String,
    created_at: String,
}

impl From<Organization> for Line {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id.to_string(),
            name: organization.name.to_string(),
            created_at: time::rfc_3339_micros(organization.created_at.as_micros()),
        }
    }
}

pub(crate) fn run(command: Command, output: &mut Output<'_>) -> Result<Ending, Failure> {
    match command {
        Command::Create(Create { name, database }) => {
            let settings = database.settings([])?;
            let made = block_on(async {
                Ok(organization::create(&settings, &name, System.now()).await?)
            })?;
            output
                .show(&Line::from(made), |made| format!("created {} as {}", made.name, made.id))?;
            output.note(&format!(
                "its first key: canary key create --organization {name} --name operator --scope admin"
            ))?;
        }
        Command::List(List { database }) => {
            let settings = database.settings([])?;
            let all = block_on(async { Ok(organization::list(&settings).await?) })?;
            let lines: Vec<Line> = all.into_iter().map(Into::into).collect();
            output.show(&lines, |lines| table(lines))?;
        }
    }
    Ok(Ending::Done)
}

/// Reads the name of an organization.
pub(crate) fn name(text: &str) -> Result<OrganizationName, OrganizationNameError> {
    OrganizationName::parse(text)
}

fn table(lines: &[Line]) -> String {
    let row = |line: &Line| {
        vec![line.name.clone(), time::to_the_second(&line.created_at), line.id.clone()]
    };
    output::columns(&["NAME", "CREATED", "ID"], &[], lines.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_are_listed_in_columns() {
        let line = |name: &str, created_at: &str| Line {
            id: format!("id-of-{name}"),
            name: name.to_owned(),
            created_at: created_at.to_owned(),
        };
        let lines =
            [line("default", "2031-05-07T10:00:00.25Z"), line("acme", "2031-05-08T10:00:00Z")];
        assert_eq!(
            table(&lines),
            "NAME     CREATED               ID\n\
             default  2031-05-07T10:00:00Z  id-of-default\n\
             acme     2031-05-08T10:00:00Z  id-of-acme"
        );
    }
}
