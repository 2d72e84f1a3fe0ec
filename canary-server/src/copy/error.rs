//! Why a copy was not made.

use std::fmt;

use crate::organization::OrganizationName;
use crate::store::StoreError;

/// Why a copy was not made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy.
    #[error("source and target are the same database, {url}")]
    SameDatabase {
        /// Its address, without a password.
        url: String,
    },
    /// The source cannot be read.
    #[error("cannot read the source {url}: {cause}")]
    Source {
        /// Its address, without a password.
        url: String,
        /// What is wrong.
        cause: StoreError,
    },
    /// The target cannot be written.
    #[error("cannot write the target {url}: {cause}")]
    Target {
        /// Its address, without a password.
        url: String,
        /// What is wrong.
        cause: StoreError,
    },
    /// Somebody else uses the source or the target, or another copy does.
    #[error(
        "the {side} {url} is in use: stop every server on it, and whatever else has it open, and run again"
    )]
    InUse {
        /// Which of them.
        side: Side,
        /// Its address, without a password.
        url: String,
    },
    /// The source lacks steps of the schema.
    #[error(
        "the schema of organization `{organization}` in the source {url} is older than this program, {} missing: stop its servers, run `canary db upgrade` on it, and run again",
        .missing.join(", ")
    )]
    OldSource {
        /// The source's address, without a password.
        url: String,
        /// Whose tables.
        organization: OrganizationName,
        /// The names of the steps.
        missing: Vec<String>,
    },
    /// A table has other columns in the target than in the source.
    #[error("table `{table}` has other columns in the target {url} than in the source")]
    Columns {
        /// The target's address, without a password.
        url: String,
        /// The table.
        table: &'static str,
    },
    /// The target has rows that are neither of a copy that was interrupted nor those of the source.
    #[error(
        "the target {url} has data of its own, copy into an empty database: organization `{organization}` has {}; {difference}",
        listed(.rows)
    )]
    Occupied {
        /// The target's address, without a password.
        url: String,
        /// Whose data.
        organization: OrganizationName,
        /// Tables with their number of rows.
        rows: Vec<(&'static str, u64)>,
        /// Where it first differs from the source.
        difference: Difference,
    },
    /// What was read again from the target is not what was read from the source.
    #[error(
        "the target {url} is not what the source is, copy into an empty database: of organization `{organization}`, {difference}"
    )]
    Differs {
        /// The target's address, without a password.
        url: String,
        /// Whose data.
        organization: OrganizationName,
        /// Where it first differs from the source.
        difference: Difference,
    },
    /// The caller has stopped it; run again, it goes on.
    #[error("the copy was stopped; run it again, and it goes on where it was")]
    Stopped,
}

/// One of the two databases of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That which is read.
    Source,
    /// That which is written.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// What is not the same in a table of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// How many rows the source has.
    pub source_rows: u64,
    /// How many rows the target has.
    pub target_rows: u64,
    /// The primary key of the first row that only one of them has, or that is another one.
    pub key: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, source_rows, target_rows, key } = self;
        write!(
            formatter,
            "`{table}` has {source_rows} rows in the source and {target_rows} in the target, and differs first at the key {key}"
        )
    }
}

fn listed(rows: &[(&'static str, u64)]) -> String {
    let texts = rows.iter().map(|(table, rows)| format!("{rows} rows in `{table}`"));
    texts.collect::<Vec<_>>().join(", ")
}
