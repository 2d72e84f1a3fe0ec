//! How to connect.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use super::Dialect;
use crate::config::DatabaseUrl;

/// How many connections read at the same time.
const READERS: u32 = 3;

/// How long is waited for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// The two ways to a database.
pub(in crate::store) struct Connections {
    pub(in crate::store) dialect: Dialect,
    pub(in crate::store) url: DatabaseUrl,
    pub(in crate::store) writer: DatabaseConnection,
    pub(in crate::store) readers: DatabaseConnection,
}

/// Connects; a file that does not exist is made if its address says `mode=rwc`.
pub(in crate::store) async fn connect(url: &DatabaseUrl) -> Result<Connections, DbErr> {
    let dialect = Dialect::of(url);
    let options = |connections, is_reader| match dialect {
        Dialect::Sqlite => sqlite(url, connections, is_reader),
        Dialect::Postgres => postgres(url, connections, is_reader),
    };
    let writer = Database::connect(options(1, false)).await?;
    let readers = Database::connect(options(READERS, true)).await?;
    Ok(Connections { dialect, url: url.clone(), writer, readers })
}

fn sqlite(url: &DatabaseUrl, connections: u32, is_reader: bool) -> ConnectOptions {
    let mut options = common(url, connections);
    options
        // A connection to a file does not get lost; to ask it first is a visit more per statement.
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(PATIENCE)
                // Fewer, larger checkpoints than by default, for a log of up to 16 MiB.
                .pragma("wal_autocheckpoint", "4000")
                // The statements of commits are few; those with decisions differ by their rows.
                .statement_cache_capacity(24)
                .pragma("journal_size_limit", "67108864")
                .pragma("query_only", if is_reader { "1" } else { "0" })
        });
    options
}

fn postgres(url: &DatabaseUrl, connections: u32, is_reader: bool) -> ConnectOptions {
    let mut options = common(url, connections);
    options.test_before_acquire(is_reader).map_sqlx_postgres_opts(move |options| {
        let settings = [
            ("synchronous_commit", "on"),
            ("default_transaction_read_only", if is_reader { "on" } else { "off" }),
            (
                "default_transaction_isolation",
                if is_reader { "repeatable read" } else { "read committed" },
            ),
            ("application_name", "canary"),
        ];
        options.options(settings).statement_cache_capacity(64)
    });
    options
}

fn common(url: &DatabaseUrl, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.reveal());
    options
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false);
    options
}
