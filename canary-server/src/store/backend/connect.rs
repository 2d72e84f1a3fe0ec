//! How to connect.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, RuntimeErr,
    SqlxError,
};

use super::{Dialect, Place};
use crate::store::StoreError;

/// How long is waited for a lock on SQLite.
const PATIENCE: Duration = Duration::from_secs(10);

/// The least time that one statement of a commit may take on PostgreSQL, and the time after which a
/// commit that nobody goes on with is ended: its locks keep others out.
const LEAST_FOR_COMMITS: Duration = Duration::from_secs(60);

/// The two ways to a place.
pub(in crate::store) struct Connections {
    pub(in crate::store) dialect: Dialect,
    pub(in crate::store) place: Place,
    pub(in crate::store) writer: DatabaseConnection,
    pub(in crate::store) readers: DatabaseConnection,
}

/// What to do where there is no file or schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Missing {
    /// That of `default`: make the file if its address says `mode=rwc`. The schema `public` is
    /// always there.
    AsAddressSays,
    /// Refuse: it was made once, and is lost.
    Refuse,
    /// Make it.
    Make,
}

/// Connects to a place.
pub(in crate::store) async fn connect(
    place: &Place,
    missing: Missing,
) -> Result<Connections, StoreError> {
    let dialect = Dialect::of(&place.url);
    if missing == Missing::Refuse && place.file().is_some_and(|file| !file.is_file()) {
        return Err(StoreError::Missing(place.to_string()));
    }
    let options = |connections, is_reader| match dialect {
        Dialect::Sqlite => sqlite(place, connections, is_reader, missing),
        Dialect::Postgres => postgres(place, connections, is_reader),
    };
    if dialect == Dialect::Postgres {
        // A pool that finds nobody says only that it has waited.
        knock(place).await?;
    }
    let writer = Database::connect(options(1, false)).await?;
    if dialect == Dialect::Postgres {
        find_schema(place, &writer, missing).await?;
    }
    let readers = Database::connect(options(place.pool.size, true)).await?;
    Ok(Connections { dialect, place: place.clone(), writer, readers })
}

/// Whether PostgreSQL lets us in: once, with a connection of its own, and not for long.
///
/// # Errors
///
/// [`StoreError::Unavailable`] if it does not now, and may later.
pub(in crate::store) async fn knock(place: &Place) -> Result<(), StoreError> {
    find_files(place)?;
    let knocked = async {
        let connection = PgConnection::connect(place.address()).await?;
        connection.close().await
    };
    let knocked = tokio::time::timeout(place.pool.acquire_timeout, knocked).await;
    let knocked = knocked.unwrap_or(Err(SqlxError::Io(std::io::ErrorKind::TimedOut.into())));
    knocked.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())).into())
}

/// Looks whether the files for TLS can be read: to the driver one that is missing looks like a
/// network that is.
fn find_files(place: &Place) -> Result<(), StoreError> {
    const FILES: [&str; 6] =
        ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey"];
    let Some((_, query)) = place.address().split_once('?') else { return Ok(()) };
    for (parameter, path) in query.split('&').filter_map(|part| part.split_once('=')) {
        let path = percent_decode_str(path).decode_utf8_lossy();
        // A certificate may also be written out in the address.
        if FILES.contains(&parameter)
            && !path.starts_with("-----BEGIN")
            && let Err(cause) = std::fs::File::open(&*path)
        {
            let (path, parameter) = (path.into_owned(), parameter.to_owned());
            return Err(StoreError::TlsFile { path, parameter, cause });
        }
    }
    Ok(())
}

/// Looks whether a schema is there: without one, tables would be made and looked for in none.
async fn find_schema(
    place: &Place,
    writer: &DatabaseConnection,
    missing: Missing,
) -> Result<(), StoreError> {
    if missing == Missing::AsAddressSays {
        return Ok(());
    }
    let statement = Dialect::Postgres
        .plain("SELECT 1 FROM pg_namespace WHERE nspname = ?", [(&*place.schema).into()]);
    if writer.query_one_raw(statement).await?.is_some() {
        return Ok(());
    }
    if missing == Missing::Refuse {
        return Err(StoreError::Missing(place.to_string()));
    }
    // The name has letters, digits and underscores only.
    let sql = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", place.schema);
    writer.execute_unprepared(&sql).await?;
    Ok(())
}

fn sqlite(place: &Place, connections: u32, is_reader: bool, missing: Missing) -> ConnectOptions {
    let mut options = common(place, connections);
    options
        // A connection to a file does not get lost; to ask it first is a visit more per statement.
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = match missing {
                Missing::AsAddressSays => options,
                // One who only reads cannot lock others out, as a copy does.
                Missing::Refuse => options.create_if_missing(false).read_only(false),
                Missing::Make => options.create_if_missing(true),
            };
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(PATIENCE)
                // Fewer, larger checkpoints than by default, for a log of up to 16 MiB.
                .pragma("wal_autocheckpoint", "4000")
                // The statements of commits are few; those with decisions differ by their rows.
                .statement_cache_capacity(24)
                .pragma("journal_size_limit", "67108864")
                // What a writer reads row by row, a copy, may be megabytes a row.
                .row_buffer_size(if is_reader { 50 } else { 2 })
                .pragma("query_only", if is_reader { "1" } else { "0" })
        });
    options
}

fn postgres(place: &Place, connections: u32, is_reader: bool) -> ConnectOptions {
    let mut options = common(place, connections);
    let schema = place.schema.clone();
    let limit = place.pool.statement_timeout;
    let limit = if is_reader { limit } else { limit.max(LEAST_FOR_COMMITS) };
    options.test_before_acquire(is_reader).map_sqlx_postgres_opts(move |options| {
        let settings = [
            // Nothing of another organization is ever in sight.
            ("search_path", schema.as_str()),
            ("synchronous_commit", "on"),
            ("default_transaction_read_only", if is_reader { "on" } else { "off" }),
            (
                "default_transaction_isolation",
                if is_reader { "repeatable read" } else { "read committed" },
            ),
            ("application_name", "canary"),
        ];
        let limits = [
            ("statement_timeout", limit.as_millis()),
            ("idle_in_transaction_session_timeout", LEAST_FOR_COMMITS.as_millis()),
        ];
        let options = options.options(limits.map(|(name, limit)| (name, limit.to_string())));
        options.options(settings).statement_cache_capacity(64)
    });
    options
}

fn common(place: &Place, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(place.url.reveal());
    options
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(place.pool.acquire_timeout)
        .sqlx_logging(false);
    options
}
