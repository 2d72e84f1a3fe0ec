//! Why the store could not do what it was asked.

use sea_orm::DbErr;
use sea_orm::prelude::Uuid;

use super::backend::{Says, says};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed, or does not let us in.
    #[error("the database failed: {0}")]
    Database(DbErr),
    /// The database cannot be reached for now, or is too busy.
    #[error("the database does not answer: {0}")]
    Unavailable(DbErr),
    /// The connection was lost while a change was committed, and it could not be asked in time
    /// whether it was.
    #[error("the database was lost during a commit, and what became of it is not known")]
    OutcomeUnknown,
    /// The database took longer over one statement than it may.
    #[error("the database took longer than `db_statement_timeout_s` allows: {0}")]
    TooSlow(DbErr),
    /// A file that the address names for TLS cannot be read.
    #[error("cannot read `{path}`, which `{parameter}` of the database's address names: {cause}")]
    TlsFile {
        /// Its name.
        path: String,
        /// The part of the address.
        parameter: String,
        /// What is wrong.
        cause: std::io::Error,
    },
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
    /// Somebody else has changed the same product meanwhile, or more is changed than can be without
    /// a lock; nothing of the commit was stored.
    #[error("a commit without a lock met one of another server")]
    LockNeeded,
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

    pub(crate) fn schema(error: DbErr) -> Self {
        match Self::from(error) {
            Self::Database(error) => Self::Schema(error.to_string()),
            other => other,
        }
    }

    /// Whether the database may answer later.
    pub(crate) const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OutcomeUnknown)
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match says(&error) {
            Says::Later => Self::Unavailable(error),
            Says::TooSlow => Self::TooSlow(error),
            Says::No => Self::Database(error),
        }
    }
}
