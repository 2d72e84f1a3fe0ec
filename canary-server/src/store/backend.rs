//! All that differs between databases: how to connect, and the statements with a dialect.
//!
//! SQLite: WAL with `synchronous=FULL`, so that what was acknowledged is on disk; one writer
//! connection and a pool of readers, so that nobody ever waits for a lock.

pub(super) mod readings;
mod signals;

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr,
    QueryTrait, SqlErr, Statement, Value,
};

pub(super) use self::signals::{arrival_from, first_run, last_signal, newest_measurements, runs};
use super::StoreError;
use super::changes::{CountsRow, SignalRow};
use crate::config::DatabaseUrl;

/// How many connections read at the same time.
const READERS: u32 = 3;

/// The two ways to a database.
pub(super) struct Connections {
    pub(super) writer: DatabaseConnection,
    pub(super) readers: DatabaseConnection,
}

/// Connects; a database that does not exist is made if its address says `mode=rwc`.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<Connections, DbErr> {
    let writer = Database::connect(options(url, 1, false)).await?;
    let readers = Database::connect(options(url, READERS, true)).await?;
    Ok(Connections { writer, readers })
}

fn options(url: &DatabaseUrl, connections: u32, is_reader: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.reveal());
    options
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .sqlx_logging(false)
        // A connection to a file does not get lost; to ask it first is a visit more per statement.
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                // Fewer, larger checkpoints than by default, for a log of up to 16 MiB.
                .pragma("wal_autocheckpoint", "4000")
                // The statements of commits are few; those with decisions differ by their rows.
                .statement_cache_capacity(24)
                .pragma("journal_size_limit", "67108864")
                .pragma("query_only", if is_reader { "1" } else { "0" })
        });
    options
}

/// Statements that are run all or not at all.
pub(super) struct Transaction {
    sql: String,
    values: Vec<Value>,
}

impl Transaction {
    /// Puts statements into one text: a commit is one visit to the thread of the connection, not
    /// one per statement.
    pub(super) fn of(statements: Vec<Statement>) -> Self {
        let mut transaction = Self { sql: "BEGIN IMMEDIATE; ".to_owned(), values: Vec::new() };
        for Statement { sql, values, .. } in statements {
            transaction.sql.push_str(&sql);
            transaction.sql.push_str("; ");
            transaction.values.extend(values.into_iter().flat_map(|values| values.0));
        }
        transaction.sql.push_str("COMMIT");
        transaction
    }

    /// Runs the statements; after an error nothing of them has happened.
    pub(super) async fn run(self, writer: &DatabaseConnection) -> Result<(), DbErr> {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, self.sql, self.values);
        let outcome = writer.execute_raw(statement).await;
        if outcome.is_err() {
            // Whether the transaction is still open depends on where it failed.
            let _ = writer.execute_unprepared("ROLLBACK").await;
        }
        outcome.map(|_| ())
    }
}

/// The statement of a query that sea-orm makes.
pub(super) fn build(query: &impl QueryTrait) -> Statement {
    query.build(DbBackend::Sqlite)
}

/// Why a commit failed.
pub(super) fn refused(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(what)) if what.contains("signal.id") => {
            StoreError::KnownSignal
        }
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Stale,
        _ if is_elsewhere(&error) => StoreError::Stale,
        _ => StoreError::Database(error),
    }
}

/// Whether a revision was not the expected one, see [`update_products`] and
/// [`step_fold`](readings::step_fold).
fn is_elsewhere(error: &DbErr) -> bool {
    let text = error.to_string();
    ["product.revision", "reading_fold.revision"]
        .iter()
        .any(|column| text.contains(&format!("NOT NULL constraint failed: {column}")))
}

/// Inserts signals in one statement, whatever their number.
///
/// One parameter of JSON: the text of the statement is always the same, so it stays prepared, and
/// for the dozens of rows of a usual commit it is quicker than one parameter per cell.
pub(super) fn insert_signals(rows: &[SignalRow<'_>]) -> Statement {
    const SQL: &str = "INSERT INTO signal \
        (id, release_id, band, instance_id, description, status, created_at, received_at, measurements) \
        SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, \
        value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM json_each(?)";
    Statement::from_sql_and_values(DbBackend::Sqlite, SQL, [to_json(rows).into()])
}

/// Adds to the counts of releases, and replaces their rollouts, in one statement.
pub(super) fn update_counts(rows: &[CountsRow]) -> Statement {
    const SQL: &str = "UPDATE release SET success = release.success + change.success, \
        failed = release.failed + change.failed, neutral = release.neutral + change.neutral, \
        rollout = coalesce(change.rollout, release.rollout) \
        FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS success, value ->> 2 AS failed, \
        value ->> 3 AS neutral, unhex(value ->> 4) AS rollout FROM json_each(?)) AS change \
        WHERE release.id = change.id";
    Statement::from_sql_and_values(DbBackend::Sqlite, SQL, [to_json(rows).into()])
}

/// Which of the signals with these identifiers, in hexadecimal, are stored.
pub(super) fn known_signals(ids: &[String]) -> Statement {
    const SQL: &str = "SELECT id FROM signal WHERE id IN (SELECT unhex(value) FROM json_each(?))";
    Statement::from_sql_and_values(DbBackend::Sqlite, SQL, [to_json(ids).into()])
}

/// What was answered to requests with these operations and keys.
pub(super) fn answered(keys: &[(&str, &str)]) -> Statement {
    const SQL: &str = "SELECT operation, key, fingerprint, receipt, at FROM idempotency \
        WHERE (operation, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))";
    Statement::from_sql_and_values(DbBackend::Sqlite, SQL, [to_json(keys).into()])
}

/// Sets revision and settled reason of products: rows of identifier in hexadecimal, both values.
///
/// A product that is not at the revision before gets none, which its column refuses: the commit
/// fails, see [`refused`].
pub(super) fn update_products(rows: &[(String, i64, &str)]) -> Statement {
    const SQL: &str = "UPDATE product SET \
        revision = CASE WHEN product.revision = change.revision - 1 THEN change.revision END, \
        settled_reason = change.settled_reason \
        FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS revision, \
        value ->> 2 AS settled_reason FROM json_each(?)) AS change WHERE product.id = change.id";
    Statement::from_sql_and_values(DbBackend::Sqlite, SQL, [to_json(rows).into()])
}

fn to_json<T: serde::Serialize + ?Sized>(rows: &T) -> String {
    // Texts and numbers always become JSON.
    serde_json::to_string(rows).unwrap_or_default()
}
