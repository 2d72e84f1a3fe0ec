//! What can be said about keys on the command line.

use std::time::Duration;

use canary_server::Scope;
use canary_server::organization::OrganizationName;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::expiry::{self, Expiry};
use crate::command::organization::name;
use crate::command::serve::Database;
use crate::command::time;

/// Makes a key, and prints it: once, since only its hash is stored
///
/// As soon as the first key is made, of any organization, every server on the database answers to
/// nobody without one. The key alone goes to standard output, all else to standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary key create --name operator --scope admin
  canary key create --name pipeline --scope release,signal --expires 2031-05-07
  canary key create --name on-call --scope rollback --expires 90d --organization acme
  export CANARY_TOKEN=\"$(canary key create --name me --scope admin)\"")]
pub(crate) struct Create {
    /// What people call it; no other key of the organization that is in force may have it
    #[arg(long)]
    pub(super) name: String,
    /// What it may do; several with commas, or given more than once
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        required = true,
        value_delimiter = ',',
        value_parser = scope()
    )]
    pub(super) scopes: Vec<Scope>,
    /// From when on it opens nothing: a time in RFC 3339, a date (its beginning, UTC), or how long
    /// from now, as in 90d or 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = expiry::parse)]
    pub(super) expires: Option<Expiry>,
    #[command(flatten)]
    pub(super) owner: Owner,
}

/// Lists the keys of an organization, those that are revoked too
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary key list
  canary key list --organization acme --output json")]
pub(crate) struct List {
    #[command(flatten)]
    pub(super) owner: Owner,
}

/// Makes a key with the name and scopes of another, which expires a while later
///
/// The new key alone goes to standard output, all else to standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary key rotate worker
  canary key rotate canary_ab12cd34 --overlap 2h
  canary key rotate ab12cd34 --overlap 0 --expires 90d")]
pub(crate) struct Rotate {
    /// The key's id, name, or prefix (canary_ and the 8 characters after it)
    pub(super) key: String,
    /// How long the old key still opens what it did, up to 30d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = overlap)]
    pub(super) overlap: Duration,
    /// From when on the new key opens nothing, as in `canary key create`; by default as long after
    /// now as it was after the making of the old key
    #[arg(long, value_name = "TIME", value_parser = expiry::parse)]
    pub(super) expires: Option<Expiry>,
    #[command(flatten)]
    pub(super) owner: Owner,
}

/// Revokes a key: from now on it opens nothing
///
/// Servers that run hear of it within a second.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary key revoke worker
  canary key revoke canary_ab12cd34 --organization acme")]
pub(crate) struct Revoke {
    /// The key's id, name, or prefix (canary_ and the 8 characters after it)
    pub(super) key: String,
    #[command(flatten)]
    pub(super) owner: Owner,
}

/// Whose keys are meant.
#[derive(Debug, Args)]
pub(super) struct Owner {
    /// The organization that has the keys
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = name)]
    pub(super) organization: OrganizationName,
    #[command(flatten)]
    pub(super) database: Database,
}

fn scope() -> impl TypedValueParser<Value = Scope> {
    let value = |scope: Scope| {
        PossibleValue::new(scope.as_str()).help(match scope {
            Scope::Read => "Look at everything but keys and organizations",
            Scope::Signal => "Report signals and readings, and ask which version to run",
            Scope::Release => "Register, set policies, promote, pause and resume; and look",
            Scope::Rollback => "Roll back, which `release` does not include; and look",
            Scope::Admin => "Everything, keys included",
        })
    };
    PossibleValuesParser::new(Scope::ALL.map(value)).try_map(|word| Scope::parse(&word))
}

fn overlap(text: &str) -> Result<Duration, String> {
    let seconds = time::duration_s(text)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("must be from 0 to 30d, got `{}`", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_no_time_or_some() {
        assert_eq!(overlap("0"), Ok(Duration::ZERO));
        assert_eq!(overlap("1.5h"), Ok(Duration::from_secs(5_400)));
        for unfit in ["-1h", "1e300d", "soon"] {
            assert!(overlap(unfit).unwrap_err().contains(unfit), "{unfit}");
        }
    }
}
