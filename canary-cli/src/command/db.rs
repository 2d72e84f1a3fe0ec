//! `canary db`: the schema of the database, and copies of it.

use canary_server::migration::{self, Lineage, Which};
use canary_server::organization::OrganizationName;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use self::downgrade::Downgrade;
use self::show::{CurrentLine, StepLine};
use super::organization;
use super::serve::{Database, block_on};
use crate::failure::{Ending, Failure};
use crate::output::Output;

mod copy;
mod downgrade;
mod show;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary db current
  canary db status
  canary db upgrade --db-conn-string postgres://canary@db.example/canary
  canary db upgrade --name org --schema org_acme
  canary db downgrade --name org --schema org_acme --steps 1";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Applies the steps of the schema that are missing
    ///
    /// On SQLite `canary serve` does that by itself. On PostgreSQL it does so in an empty database
    /// only, because other servers may be at work.
    Upgrade(Flags),
    /// Shows the newest step of the schema that the database has
    Current(Flags),
    /// Lists the steps of the schema and says which of them the database has
    Status(Flags),
    Downgrade(Downgrade),
    Copy(copy::Copy),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    database: Database,
}

/// Which part of the schema is meant: all of it if nothing is said.
#[derive(Debug, Args)]
struct Part {
    /// Only the steps of one kind
    #[arg(long, value_name = "LINEAGE", value_parser = lineage())]
    name: Option<Lineage>,
    /// Only the place of one organization, named by the organization (acme) or by its schema on
    /// PostgreSQL (org_acme, and public for that of `default`)
    #[arg(long, value_name = "SCHEMA", value_parser = organization_in)]
    schema: Option<OrganizationName>,
}

impl Part {
    fn which(self) -> Result<Which, Failure> {
        let Self { name: lineage, schema: organization } = self;
        let of_another = organization.as_ref().filter(|name| !name.is_default());
        if let (Some(Lineage::Public), Some(name)) = (lineage, of_another) {
            let message = format!(
                "--name public is what all organizations have in common: it is in the place of \
                `default`, not of `{name}`"
            );
            return Err(Failure::usage(message));
        }
        Ok(Which { lineage, organization })
    }
}

pub(crate) fn run(command: Command, output: &mut Output<'_>) -> Result<Ending, Failure> {
    match command {
        Command::Copy(copy) => return copy.run(output),
        Command::Upgrade(Flags { part, database }) => {
            let (settings, which) = (database.settings([])?, part.which()?);
            let applied = block_on(async { Ok(migration::upgrade(&settings, &which).await?) })?;
            let lines: Vec<StepLine> = applied.into_iter().map(Into::into).collect();
            output.show(&lines, |lines| show::upgraded(lines))?;
        }
        Command::Current(Flags { part, database }) => {
            let (settings, which) = (database.settings([])?, part.which()?);
            let current = block_on(async { Ok(migration::current(&settings, &which).await?) })?;
            let lines: Vec<CurrentLine> = current.into_iter().map(Into::into).collect();
            output.show(&lines, |lines| show::current(lines))?;
        }
        Command::Status(Flags { part, database }) => {
            let (settings, which) = (database.settings([])?, part.which()?);
            let steps = block_on(async { Ok(migration::status(&settings, &which).await?) })?;
            let lines: Vec<StepLine> = steps.into_iter().map(Into::into).collect();
            output.show(&lines, |lines| show::steps(lines, "missing"))?;
        }
        Command::Downgrade(downgrade) => return downgrade.run(output),
    }
    Ok(Ending::Done)
}

fn lineage() -> impl TypedValueParser<Value = Lineage> {
    const ALL: [Lineage; 2] = [Lineage::Public, Lineage::Org];
    let value = |lineage: Lineage| {
        PossibleValue::new(lineage.as_str()).help(match lineage {
            Lineage::Public => "What all organizations have in common: organizations and keys",
            Lineage::Org => "What every organization has of its own",
        })
    };
    let find = |word: String| ALL.into_iter().find(|lineage| lineage.as_str() == word);
    PossibleValuesParser::new(ALL.map(value))
        .try_map(move |word| find(word).ok_or("it is public or org"))
}

/// Reads the organization whose place is meant. What is a schema and a name is the schema: that of
/// an organization called `public` is org_public.
fn organization_in(text: &str) -> Result<OrganizationName, String> {
    if let Some(name) = OrganizationName::of_schema(text) {
        return Ok(name);
    }
    if text.starts_with("org_") {
        let refused = format!("`{text}` is the schema of no organization, or of one whose name is");
        return Err(format!("{refused} too long for a schema: give its name"));
    }
    organization::name(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_its_organization_or_its_schema() {
        let cases = [
            ("default", Ok("default")),
            ("public", Ok("default")),
            ("acme", Ok("acme")),
            ("org_acme", Ok("acme")),
            ("org_acme_2", Ok("acme-2")),
            ("org_public", Ok("public")),
            ("org_default", Err("give its name")),
            ("org__0123", Err("give its name")),
            ("Acme", Err("1 to 63 characters of a-z")),
        ];
        for (text, want) in cases {
            match (organization_in(text), want) {
                (Ok(name), Ok(want)) => assert_eq!(name.as_str(), want, "{text}"),
                (Err(told), Err(want)) => assert!(told.contains(want), "{told}"),
                (got, want) => panic!("{text}: {got:?}, {want:?} is wanted"),
            }
        }
    }

    #[test]
    fn what_all_have_in_common_is_in_the_place_of_default() {
        let part = |schema: &str| {
            let part = Part { name: Some(Lineage::Public), schema: organization_in(schema).ok() };
            part.which()
        };
        assert!(part("public").is_ok() && part("default").is_ok());
        let refused = part("acme").unwrap_err();
        assert!(refused.exit_code() == 2 && refused.text().contains("not of `acme`"));
    }
}
