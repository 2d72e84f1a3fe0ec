//! Why the store could not do what it was asked.

use sea_orm::DbErr;
use sea_orm::prelude::Uuid;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    /// The schema could not be brought up to date, or is newer than this program.
    #[error("the schema of the database does not fit this program: {0}")]
    Schema(String),
    /// Steps of the schema are missing, on a database that other servers may use.
    #[error(
        "the schema of the database is older than this program, {} missing: run `canary db upgrade`, and stop older servers first",
        .missing.join(", ")
    )]
    OldSchema {
        /// The names of the steps.
        missing: Vec<String>,
    },
    /// No organization has this name.
    #[error("organization `{0}` is unknown")]
    UnknownOrganization(String),
    /// The file or schema of an organization is not there.
    #[error("what was stored there is missing: {0}")]
    Missing(String),
    /// A new organization would find what another one has stored.
    #[error("there is something already, which no new organization may see; move it away: {0}")]
    Occupied(String),
    /// A copy into the place was interrupted: not everything is there.
    #[error("a copy into it is not finished, run `canary db copy` to the end before a server: {0}")]
    UnfinishedCopy(String),
    /// Taking back the first step of the lineage `public` would lose what it holds.
    #[error(
        "there are {keys} keys and {organizations} organizations beside `default`, which would be lost"
    )]
    InUse {
        /// Keys, revoked ones included.
        keys: i64,
        /// Organizations but `default`.
        organizations: i64,
    },
    /// Somebody else has changed the same thing meanwhile; nothing of the commit was stored.
    #[error("another process has changed the same product, signal or readings meanwhile")]
    Stale,
    /// A signal is stored already; nothing of the commit was stored.
    #[error("a signal with the same id is stored already")]
    KnownSignal,
    /// A computation over what was read ended with a fault of this program.
    #[error("a computation failed: {0}")]
    Fault(String),
    /// A row is no value of the domain.
    #[error("column `{column}` of `{table}` row `{row}` holds what this program cannot read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's identifier.
        row: String,
    },
}

impl StoreError {
    pub(crate) fn corrupt(table: &'static str, column: &'static str, row: Uuid) -> Self {
        Self::Corrupt { table, column, row: row.to_string() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is the function of a `map_err`")]
    pub(crate) fn schema(error: DbErr) -> Self {
        Self::Schema(error.to_string())
    }
}
