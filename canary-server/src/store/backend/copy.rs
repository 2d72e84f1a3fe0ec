//! Statements about whole tables, whatever their columns, and who else has a database open.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};
use sea_orm::{Statement, Value};

use super::{Dialect, Place};
use crate::store::copy::{Column, Kind, Table};
use crate::store::{StoreError, news};

/// The extended result codes of SQLite for a file that somebody else has open or locked.
const BUSY: [&str; 4] = ["5", "261", "517", "773"];

impl Dialect {
    /// Columns of a table: name, the database's word for what they hold, and the place in the
    /// primary key, from 1; 0 if they are no part of it.
    pub(in crate::store) fn columns(self, table: &str) -> Statement {
        const SQLITE: &str =
            "SELECT name, lower(type) AS kind, pk AS place FROM pragma_table_info(?) ORDER BY name";
        const POSTGRES: &str = "SELECT a.attname::text AS name, t.typname::text AS kind, \
            (coalesce(array_position(i.indkey::smallint[], a.attnum), -1) + 1)::bigint AS place \
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
            LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
            WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
            ORDER BY a.attname COLLATE \"C\"";
        self.statement(SQLITE, POSTGRES, [table.into()])
    }

    /// All rows of a table, in the order of its primary key, which is that of bytes in both.
    pub(in crate::store) fn all_rows(self, table: &Table) -> Statement {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let name = &column.name;
                match (self, column.kind) {
                    // Integers of any width are read as the widest.
                    (Self::Postgres, Kind::Integer) => format!("\"{name}\"::bigint"),
                    _ => format!("\"{name}\""),
                }
            })
            .collect();
        let order: Vec<String> = table
            .key()
            .map(|column| match (self, column.kind) {
                (Self::Postgres, Kind::Text) => format!("\"{}\" COLLATE \"C\"", column.name),
                _ => format!("\"{}\"", column.name),
            })
            .collect();
        let sql = format!(
            "SELECT {} FROM \"{}\" ORDER BY {}",
            columns.join(", "),
            table.name,
            order.join(", ")
        );
        self.plain(&sql, [])
    }

    /// Inserts rows in one statement.
    pub(in crate::store) fn insert_rows(self, table: &Table, rows: Vec<Vec<Value>>) -> Statement {
        let names: Vec<String> =
            table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let place = |column: &Column| match (self, column.kind) {
            // The width of the column is not that of the value.
            (Self::Postgres, Kind::Integer) => "?::bigint",
            _ => "?",
        };
        let places: Vec<&str> = table.columns.iter().map(place).collect();
        let row = format!("({})", places.join(", "));
        let values = vec![row; rows.len()].join(", ");
        let sql = format!("INSERT INTO \"{}\" ({}) VALUES {values}", table.name, names.join(", "));
        self.plain(&sql, rows.into_iter().flatten())
    }

    /// What is said in a transaction before it reads, so that nobody else writes to these tables
    /// until it ends; nothing on SQLite, where the transaction itself says so.
    pub(in crate::store) fn keep_others_out(self, tables: &[&str]) -> Option<String> {
        let names: Vec<String> = tables.iter().map(|name| format!("\"{name}\"")).collect();
        let sql = format!(
            "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = 0; \
            SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE {} IN SHARE MODE",
            names.join(", ")
        );
        (self == Self::Postgres).then_some(sql)
    }

    /// Lets numbers that the database gives go on after the highest one; nothing on SQLite, which
    /// looks for that itself, and nothing for a column whose numbers it does not give.
    pub(in crate::store) fn go_on_after_highest(
        self,
        table: &str,
        column: &str,
    ) -> Option<Statement> {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence(?, ?), (SELECT max(\"{column}\") FROM \"{table}\"))"
        );
        let values = [format!("\"{table}\"").into(), column.into()];
        (self == Self::Postgres).then(|| self.plain(&sql, values))
    }

    /// Makes the table that says how far a copy is, see [`crate::store::copy`].
    pub(in crate::store) const fn make_progress(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "CREATE TABLE unfinished_copy (name varchar NOT NULL PRIMARY KEY, \
                rows bigint NOT NULL, checksum blob NOT NULL)"
            }
            Self::Postgres => {
                "CREATE TABLE unfinished_copy (name varchar NOT NULL PRIMARY KEY, \
                rows bigint NOT NULL, checksum bytea NOT NULL)"
            }
        }
    }
}

impl Place {
    /// Whether both are the same file, however their addresses are written.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        let file = |place: &Self| place.file()?.canonicalize().ok();
        file(self).is_some_and(|own| file(other) == Some(own))
    }

    /// Whether somebody else has its file open; `false` where there is no file.
    ///
    /// Whoever has a file open shares a lock on it, so that nobody gets it alone.
    pub(crate) async fn is_open_elsewhere(&self) -> Result<bool, StoreError> {
        let Some(file) = self.file().filter(|file| Path::is_file(file)) else { return Ok(false) };
        let options = SqliteConnectOptions::from_str(self.url.reveal()).map_err(news::lost)?;
        let options = options
            .filename(file)
            .create_if_missing(false)
            .read_only(false)
            .busy_timeout(Duration::ZERO)
            .locking_mode(SqliteLockingMode::Exclusive);
        let looked = async {
            let mut connection = options.connect().await?;
            let looked = sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection);
            let looked = looked.await.map(drop);
            connection.close().await?;
            looked
        };
        match looked.await {
            Ok(()) => Ok(false),
            Err(error) if is_busy(&error) => Ok(true),
            Err(error) => Err(news::lost(error)),
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| BUSY.contains(&&*code))
}
