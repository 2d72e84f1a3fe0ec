//! All that differs between databases: how to connect, how to commit, and the statements with a
//! dialect.
//!
//! SQLite: WAL with `synchronous=FULL`, so that what was acknowledged is on disk; one writer
//! connection and a pool of readers, so that nobody ever waits for a lock.
//!
//! PostgreSQL: `synchronous_commit=on`, set by every connection; one connection writes, because
//! commits are gathered, and a pool reads.

mod away;
mod commit;
mod connect;
mod copy;
mod locks;
mod mark;
mod place;
pub(super) mod readings;
mod signals;

use sea_orm::{DbBackend, DbErr, QueryTrait, SqlErr, Statement, Value};

pub(super) use self::away::{Says, says};
pub(super) use self::commit::{Broken, at_once, at_one_visit, by_itself, one_by_one};
pub(super) use self::connect::{Connections, Missing, connect, knock};
pub(super) use self::locks::{Found, Locks};
pub(super) use self::mark::Mark;
pub(crate) use self::place::Place;
use super::StoreError;
use super::changes::CountsRow;
use crate::config::DatabaseUrl;

/// Which of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Embedded, in a file.
    Sqlite,
    /// A server of its own.
    Postgres,
}

impl Dialect {
    /// That of an address.
    pub(crate) fn of(url: &DatabaseUrl) -> Self {
        if url.reveal().starts_with("sqlite:") { Self::Sqlite } else { Self::Postgres }
    }

    /// As sea-orm calls it.
    pub(crate) const fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// A statement that both understand but for how they number its parameters: `?` in order.
    pub(super) fn plain(self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        match self {
            Self::Sqlite => Statement::from_sql_and_values(DbBackend::Sqlite, sql, values),
            Self::Postgres => {
                let mut numbered = String::with_capacity(sql.len() + 16);
                for (number, part) in sql.split('?').enumerate() {
                    if number > 0 {
                        numbered.push_str(&format!("${number}"));
                    }
                    numbered.push_str(part);
                }
                Statement::from_sql_and_values(DbBackend::Postgres, numbered, values)
            }
        }
    }

    /// A statement in the words of each, with the same parameters.
    pub(super) fn statement<const N: usize>(
        self,
        sqlite: &str,
        postgres: &str,
        values: [Value; N],
    ) -> Statement {
        let sql = match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        };
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    /// Waits until nobody else changes the schema. A file has one server, and SQLite's own locks.
    pub(crate) fn lock_schema(self, place: &Place) -> Option<Statement> {
        self.of_schema("SELECT pg_advisory_lock($1)", place)
    }

    /// Lets others change the schema.
    pub(crate) fn unlock_schema(self, place: &Place) -> Option<Statement> {
        self.of_schema("SELECT pg_advisory_unlock($1)", place)
    }

    fn of_schema(self, sql: &str, place: &Place) -> Option<Statement> {
        let number = place.lock("schema");
        (self == Self::Postgres)
            .then(|| Statement::from_sql_and_values(DbBackend::Postgres, sql, [number.into()]))
    }

    /// Tells the other servers what has changed, once it is committed; PostgreSQL only.
    pub(super) fn tell(self, channel: &str, news: &str) -> Statement {
        let sql = "SELECT pg_notify($1, $2)";
        Statement::from_sql_and_values(self.backend(), sql, [channel.into(), news.into()])
    }

    /// The statement of a query that sea-orm makes.
    pub(super) fn build(self, query: &impl QueryTrait) -> Statement {
        query.build(self.backend())
    }

    /// Adds to the counts of releases, and replaces their rollouts, in one statement.
    pub(super) fn update_counts(self, rows: &[CountsRow]) -> Statement {
        const SQLITE: &str = "UPDATE release SET success = release.success + change.success, \
            failed = release.failed + change.failed, neutral = release.neutral + change.neutral, \
            rollout = coalesce(change.rollout, release.rollout) \
            FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS success, value ->> 2 AS failed, \
            value ->> 3 AS neutral, unhex(value ->> 4) AS rollout FROM json_each(?)) AS change \
            WHERE release.id = change.id";
        const POSTGRES: &str = "UPDATE release SET success = release.success + change.success, \
            failed = release.failed + change.failed, neutral = release.neutral + change.neutral, \
            rollout = coalesce(change.rollout, release.rollout) \
            FROM (SELECT (value ->> 0)::uuid AS id, (value ->> 1)::bigint AS success, \
            (value ->> 2)::bigint AS failed, (value ->> 3)::bigint AS neutral, \
            decode(value ->> 4, 'hex') AS rollout FROM json_array_elements($1::json)) AS change \
            WHERE release.id = change.id";
        self.statement(SQLITE, POSTGRES, [to_json(rows).into()])
    }

    /// Which of the signals with these identifiers, in hexadecimal, are stored.
    pub(super) fn known_signals(self, ids: &[String]) -> Statement {
        const SQLITE: &str =
            "SELECT id FROM signal WHERE id IN (SELECT unhex(value) FROM json_each(?))";
        const POSTGRES: &str = "SELECT id FROM signal WHERE id IN \
            (SELECT value::uuid FROM json_array_elements_text($1::json))";
        self.statement(SQLITE, POSTGRES, [to_json(ids).into()])
    }

    /// What was answered to requests with these operations and keys.
    pub(super) fn answered(self, keys: &[(&str, &str)]) -> Statement {
        const SQLITE: &str = "SELECT operation, key, fingerprint, receipt, at FROM idempotency \
            WHERE (operation, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))";
        const POSTGRES: &str = "SELECT operation, key, fingerprint, receipt, at FROM idempotency \
            WHERE (operation, key) IN \
            (SELECT value ->> 0, value ->> 1 FROM json_array_elements($1::json))";
        self.statement(SQLITE, POSTGRES, [to_json(keys).into()])
    }

    /// Sets revision and settled reason of products: rows of identifier in hexadecimal, the revision
    /// before, and both values.
    ///
    /// A product that is not at the revision before gets none, which its column refuses: the commit
    /// fails, see [`refused`].
    pub(super) fn update_products(self, rows: &[(String, i64, i64, &str)]) -> Statement {
        const SQLITE: &str = "UPDATE product SET \
            revision = CASE WHEN product.revision = change.before THEN change.revision END, \
            settled_reason = change.settled_reason \
            FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS before, value ->> 2 AS revision, \
            value ->> 3 AS settled_reason FROM json_each(?)) AS change \
            WHERE product.id = change.id";
        const POSTGRES: &str = "UPDATE product SET \
            revision = CASE WHEN product.revision = change.before THEN change.revision END, \
            settled_reason = change.settled_reason \
            FROM (SELECT (value ->> 0)::uuid AS id, (value ->> 1)::bigint AS before, \
            (value ->> 2)::bigint AS revision, value ->> 3 AS settled_reason \
            FROM json_array_elements($1::json)) AS change \
            WHERE product.id = change.id";
        self.statement(SQLITE, POSTGRES, [to_json(rows).into()])
    }
}

/// Why a commit failed.
pub(super) fn refused(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(what))
            if what.contains("signal.id") || what.contains("signal_id_key") =>
        {
            StoreError::KnownSignal
        }
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Stale,
        _ if is_elsewhere(&error) => StoreError::Stale,
        _ => error.into(),
    }
}

/// Whether a revision was not the expected one, see [`Dialect::update_products`] and
/// [`Dialect::step_fold`].
fn is_elsewhere(error: &DbErr) -> bool {
    let text = error.to_string();
    [
        "NOT NULL constraint failed: product.revision",
        "NOT NULL constraint failed: reading_fold.revision",
        "null value in column \"revision\"",
    ]
    .iter()
    .any(|told| text.contains(told))
}

fn to_json<T: serde::Serialize + ?Sized>(rows: &T) -> String {
    // Texts and numbers always become JSON.
    serde_json::to_string(rows).unwrap_or_default()
}
