//! The mark that every commit of a server on PostgreSQL leaves behind: the number of the commit.
//!
//! It tells what became of a commit whose answer was lost, and keeps out one that comes late: marks
//! only grow, and a commit that would lower its mark is not made.
//!
//! The mark is a row of requests that were answered, so that it goes with those of its time; its
//! `at` is in an index, and changes once a day.

use canary_core::time::Timestamp;
use sea_orm::{DbBackend, Statement, Value};

use super::Dialect;

/// Which commit of which server.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Mark {
    /// The server.
    pub(in crate::store) server: u64,
    /// The number of the commit.
    pub(in crate::store) number: u64,
}

impl Dialect {
    /// The last statement of a commit: tells the other servers what has changed, and leaves the mark
    /// behind. A mark that would not grow becomes none, which its column refuses: the commit fails.
    pub(in crate::store) fn tell_and_mark(
        self,
        (channel, news): (&str, &str),
        mark: Mark,
        now: Timestamp,
    ) -> Statement {
        const SQL: &str = "WITH mark AS (INSERT INTO idempotency AS mark \
            (operation, key, fingerprint, receipt, at) VALUES ('commit', $1, $2, '', $3) \
            ON CONFLICT (operation, key) DO UPDATE SET \
            fingerprint = \
            CASE WHEN mark.fingerprint < excluded.fingerprint THEN excluded.fingerprint END, \
            at = CASE WHEN excluded.at - mark.at > 86400000000 THEN excluded.at ELSE mark.at END) \
            SELECT pg_notify($4, $5)";
        let values: [Value; 5] = [
            key(mark.server),
            fingerprint(mark.number),
            now.as_micros().into(),
            channel.into(),
            news.into(),
        ];
        Statement::from_sql_and_values(DbBackend::Postgres, SQL, values)
    }

    /// Waits for the end of a commit that may still go on, and answers with the mark: that of the
    /// commit if it was made, or else one of its own, after which the commit cannot be made any
    /// more.
    pub(in crate::store) fn fence(self, late: Mark, own: u64, now: Timestamp) -> Statement {
        const SQL: &str = "INSERT INTO idempotency AS mark \
            (operation, key, fingerprint, receipt, at) VALUES ('commit', $1, $2, '', $3) \
            ON CONFLICT (operation, key) DO UPDATE SET fingerprint = \
            CASE WHEN mark.fingerprint = $4 OR mark.fingerprint > excluded.fingerprint \
            THEN mark.fingerprint ELSE excluded.fingerprint END \
            RETURNING fingerprint";
        let values: [Value; 4] =
            [key(late.server), fingerprint(own), now.as_micros().into(), fingerprint(late.number)];
        Statement::from_sql_and_values(DbBackend::Postgres, SQL, values)
    }
}

fn key(server: u64) -> Value {
    format!("{server:x}").into()
}

/// In the order of the numbers.
fn fingerprint(number: u64) -> Value {
    number.to_be_bytes().to_vec().into()
}
