//! Whole tables, row by row: what a copy reads on one side and writes on the other.
//!
//! The table `unfinished_copy` stands in every place that a copy writes to, from the first row to
//! the last: how many rows of each table are there, and their checksum, noted in the transaction
//! that writes them. No server starts on a place that has it, so that what is there is nothing but
//! what the copy has written.

mod row;

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, SqliteTransactionMode, StreamTrait,
    TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::SchemaManager;

pub use self::row::Checksum;
pub(crate) use self::row::{Column, Kind, Row, Table};
use super::{Dialect, Lead, Place, Store, StoreError};

/// The table that says how far a copy is.
const PROGRESS: &str = "unfinished_copy";

/// How much of a table is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) checksum: Checksum,
}

/// A view of a place to which nobody can write as long as it lasts.
pub(crate) struct Still {
    transaction: DatabaseTransaction,
    dialect: Dialect,
}

impl Still {
    /// All rows of a table, in the order of its key.
    pub(crate) async fn rows<'a>(
        &'a self,
        table: &'a Table,
    ) -> Result<BoxStream<'a, Result<Row, DbErr>>, StoreError> {
        rows(&self.transaction, self.dialect, table).await
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> Result<u64, StoreError> {
        count(&self.transaction, self.dialect, table, "true").await
    }

    /// Lets others write again.
    pub(crate) async fn end(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }
}

impl Store {
    /// Connects to a place that must be there already, that of `default` as well.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if it is not.
    pub(crate) async fn connect_to_existing(place: &Place) -> Result<Self, StoreError> {
        Self::connect_or(place, super::backend::Missing::Refuse).await
    }

    /// Tries to be the only one who has the lead here; nothing if a server runs on this place. On
    /// SQLite there is no lead, see [`Place::is_open_elsewhere`].
    pub(crate) async fn try_to_be_alone(&self) -> Result<Option<Alone>, StoreError> {
        match self.dialect() {
            Dialect::Sqlite => Ok(Some(Alone(None))),
            Dialect::Postgres => Ok(self.try_to_lead().await?.map(|lead| Alone(Some(lead)))),
        }
    }

    /// A table as it is here.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`] if it is not there, has no key, or a column that cannot be copied.
    pub(crate) async fn table(&self, name: &'static str) -> Result<Table, StoreError> {
        let found = self.writer().query_all_raw(self.dialect().columns(name)).await?;
        let mut columns = Vec::with_capacity(found.len());
        for row in found {
            let (column, word): (String, String) =
                (row.try_get("", "name")?, row.try_get("", "kind")?);
            let unknown = || {
                StoreError::Fault(format!(
                    "column `{column}` of `{name}` is a `{word}`, which cannot be copied"
                ))
            };
            let kind = Kind::of(&word).ok_or_else(unknown)?;
            // Places of key columns are counted from 0 or 1 to a few.
            let key = row.try_get::<i64>("", "place")?.unsigned_abs() as usize;
            columns.push(Column { name: column, kind, key });
        }
        let table = Table { name, columns };
        if table.key().next().is_none() {
            return Err(StoreError::Fault(format!("there is no table `{name}` with a key")));
        }
        Ok(table)
    }

    /// Lets nobody write to these tables, nor to anything else on SQLite; waits for those who do
    /// for at most 10 s.
    pub(crate) async fn keep_still(&self, tables: &[&str]) -> Result<Still, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.writer().begin_with_options(options).await?;
        if let Some(sql) = self.dialect().keep_others_out(tables) {
            transaction.execute_unprepared(&sql).await?;
        }
        Ok(Still { transaction, dialect: self.dialect() })
    }

    /// All rows of a table, in the order of its key.
    pub(crate) async fn rows<'a>(
        &'a self,
        table: &'a Table,
    ) -> Result<BoxStream<'a, Result<Row, DbErr>>, StoreError> {
        rows(self.writer(), self.dialect(), table).await
    }

    /// How many rows of a table there are for which a condition is true.
    pub(crate) async fn count(&self, table: &str, condition: &str) -> Result<u64, StoreError> {
        count(self.writer(), self.dialect(), table, condition).await
    }

    /// Whether a copy into this place is not finished.
    pub(crate) async fn has_unfinished_copy(&self) -> Result<bool, StoreError> {
        SchemaManager::new(self.writer()).has_table(PROGRESS).await.map_err(StoreError::schema)
    }

    /// Notes that a copy into this place begins.
    pub(crate) async fn begin_copy(&self) -> Result<(), StoreError> {
        self.writer().execute_unprepared(self.dialect().make_progress()).await?;
        Ok(())
    }

    /// How much of a table is written; nothing if it was not begun.
    pub(crate) async fn written(&self, table: &Table) -> Result<Option<Written>, StoreError> {
        let sql = "SELECT rows, checksum FROM unfinished_copy WHERE name = ?";
        let statement = self.dialect().plain(sql, [table.name.into()]);
        let Some(row) = self.writer().query_one_raw(statement).await? else { return Ok(None) };
        let rows = row.try_get::<i64>("", "rows")?.unsigned_abs();
        let corrupt = || StoreError::Corrupt {
            table: PROGRESS,
            column: "checksum",
            row: table.name.to_owned(),
        };
        let checksum = Checksum::of_bytes(&row.try_get::<Vec<u8>>("", "checksum")?);
        Ok(Some(Written { rows, checksum: checksum.ok_or_else(corrupt)? }))
    }

    /// Empties a table, of which nothing is written then.
    pub(crate) async fn begin_table(&self, table: &Table) -> Result<(), StoreError> {
        let dialect = self.dialect();
        let empty = format!("DELETE FROM \"{}\"", table.name);
        let forget = "DELETE FROM unfinished_copy WHERE name = ?";
        let note = "INSERT INTO unfinished_copy (name, rows, checksum) VALUES (?, 0, ?)";
        let nothing = Checksum::default().as_bytes().to_vec();
        let change = self.writer().begin().await?;
        change.execute_raw(dialect.plain(&empty, [])).await?;
        change.execute_raw(dialect.plain(forget, [table.name.into()])).await?;
        change.execute_raw(dialect.plain(note, [table.name.into(), nothing.into()])).await?;
        Ok(change.commit().await?)
    }

    /// Writes rows that follow those that are written, and notes that they are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] if there are more or fewer than `before`; nothing was written then.
    pub(crate) async fn write_rows(
        &self,
        table: &Table,
        rows: Vec<Row>,
        before: u64,
        after: Written,
    ) -> Result<(), StoreError> {
        const NOTE: &str =
            "UPDATE unfinished_copy SET rows = ?, checksum = ? WHERE name = ? AND rows = ?";
        let dialect = self.dialect();
        let rows = rows.into_iter().map(|row| row.0).collect();
        let values = [
            (after.rows as i64).into(),
            after.checksum.as_bytes().to_vec().into(),
            table.name.into(),
            (before as i64).into(),
        ];
        let change = self.writer().begin().await?;
        change.execute_raw(dialect.insert_rows(table, rows)).await?;
        let noted = change.execute_raw(dialect.plain(NOTE, values)).await?;
        if noted.rows_affected() != 1 {
            // It is rolled back when it is dropped.
            return Err(StoreError::Stale);
        }
        Ok(change.commit().await?)
    }

    /// Lets numbers that the database gives go on after those that were written.
    pub(crate) async fn go_on_after_copy(&self, table: &Table) -> Result<(), StoreError> {
        for column in table.key().filter(|column| column.kind == Kind::Integer) {
            if let Some(statement) = self.dialect().go_on_after_highest(table.name, &column.name) {
                self.writer().query_one_raw(statement).await?;
            }
        }
        Ok(())
    }

    /// Forgets how far the copy is: servers may start.
    pub(crate) async fn end_copy(&self) -> Result<(), StoreError> {
        self.writer().execute_unprepared("DROP TABLE unfinished_copy").await?;
        Ok(())
    }
}

/// One who has a place alone, as long as the connection lives.
pub(crate) struct Alone(Option<Lead>);

impl Alone {
    /// Lets others in.
    pub(crate) async fn end(self) -> Result<(), StoreError> {
        match self.0 {
            Some(lead) => lead.end().await,
            None => Ok(()),
        }
    }
}

async fn rows<'a>(
    connection: &'a impl StreamTrait,
    dialect: Dialect,
    table: &'a Table,
) -> Result<BoxStream<'a, Result<Row, DbErr>>, StoreError> {
    let rows = connection.stream_raw(dialect.all_rows(table)).await?;
    Ok(Box::pin(rows.and_then(move |row| std::future::ready(table.read(&row)))))
}

async fn count(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    table: &str,
    condition: &str,
) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) AS rows FROM \"{table}\" WHERE {condition}");
    let row = connection.query_one_raw(dialect.plain(&sql, [])).await?;
    let rows = row.map(|row| row.try_get::<i64>("", "rows")).transpose()?;
    Ok(rows.unwrap_or_default().unsigned_abs())
}
