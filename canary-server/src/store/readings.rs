//! What is stored of readings.

use std::sync::Arc;

use canary_core::reading::{ReadingType, TypeName, Unit};
use canary_core::time::Timestamp;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, TransactionTrait as _,
};

use super::{Dialect, Store, StoreError};
use crate::readings::{Block, Chunk, Fold, Rollup, SeriesRow, TypeId};

/// Rows that are read at once where there may be many.
const PAGE: usize = 10_000;

/// Blocks that are read at once; each may have half a megabyte.
const PAGE_OF_BLOCKS: usize = 16;

fn corrupt(table: &'static str, column: &'static str, row: impl Into<i64>) -> StoreError {
    StoreError::Corrupt { table, column, row: row.into().to_string() }
}

/// A number that its table keeps within the range of the domain.
fn narrow<T: TryFrom<i64>>(
    row: &QueryResult,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    let number: i64 = row.try_get("", column)?;
    number.try_into().map_err(|_| corrupt(table, column, number))
}

/// That of a connection.
pub(super) fn dialect(connection: &impl ConnectionTrait) -> Dialect {
    match connection.get_database_backend() {
        DbBackend::Sqlite => Dialect::Sqlite,
        _ => Dialect::Postgres,
    }
}

/// A type of readings with its number.
pub(crate) type StoredType = (TypeId, ReadingType);

impl Store {
    /// The types of readings, in the order of declaration.
    pub(crate) async fn reading_types(
        connection: &impl ConnectionTrait,
    ) -> Result<Vec<StoredType>, StoreError> {
        const SQL: &str = "SELECT CAST(id AS bigint) AS id, name, unit, minimum, maximum, is_integer \
            FROM reading_type ORDER BY id";
        let rows = connection.query_all_raw(dialect(connection).plain(SQL, [])).await?;
        rows.iter().map(reading_type).collect()
    }

    /// The series from a number on, a page of them.
    pub(crate) async fn reading_series(
        connection: &impl ConnectionTrait,
        from: u32,
    ) -> Result<Vec<SeriesRow>, StoreError> {
        const SQL: &str = "SELECT id, device, CAST(type_id AS bigint) AS type_id, version FROM reading_series \
            WHERE id >= ? ORDER BY id LIMIT ?";
        let values = [i64::from(from).into(), (PAGE as i64).into()];
        let rows = connection.query_all_raw(dialect(connection).plain(SQL, values)).await?;
        let row = |row: &QueryResult| {
            Ok(SeriesRow {
                id: narrow(row, "reading_series", "id")?,
                device: row.try_get::<String>("", "device")?.into(),
                kind: narrow(row, "reading_series", "type_id")?,
                version: row.try_get::<String>("", "version")?.into(),
            })
        };
        rows.iter().map(row).collect()
    }

    /// The blocks with these numbers, but for those that are gone.
    pub(crate) async fn reading_blocks(
        connection: &impl ConnectionTrait,
        ids: &[i64],
        now: Timestamp,
    ) -> Result<Vec<Block>, StoreError> {
        let mut blocks = Vec::with_capacity(ids.len());
        for page in ids.chunks(PAGE_OF_BLOCKS) {
            for row in connection.query_all_raw(dialect(connection).blocks(page)).await? {
                let id: i64 = row.try_get("", "id")?;
                let block = Block::open(id, row.try_get("", "bytes")?, now);
                blocks.push(block.map_err(|_| corrupt("reading_block", "bytes", id))?);
            }
        }
        Ok(blocks)
    }

    /// The numbers of all blocks.
    pub(crate) async fn reading_block_ids(
        connection: &impl ConnectionTrait,
    ) -> Result<Vec<i64>, StoreError> {
        let sql = dialect(connection).plain("SELECT id FROM reading_block ORDER BY id", []);
        let rows = connection.query_all_raw(sql).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// How far folding is.
    pub(crate) async fn fold(connection: &impl ConnectionTrait) -> Result<Fold, StoreError> {
        const SQL: &str = "SELECT revision, last_block, series, second, thinned_hour \
            FROM reading_fold WHERE id = 1";
        let row = connection.query_one_raw(dialect(connection).plain(SQL, [])).await?;
        let row = row.ok_or_else(|| corrupt("reading_fold", "id", 1))?;
        Ok(Fold {
            revision: row.try_get("", "revision")?,
            last_block: row.try_get("", "last_block")?,
            series: narrow(&row, "reading_fold", "series")?,
            second: narrow(&row, "reading_fold", "second")?,
            thinned_hour: narrow(&row, "reading_fold", "thinned_hour")?,
        })
    }

    /// The connections that read, each statement for itself.
    pub(crate) fn reading(&self) -> &impl ConnectionTrait {
        self.readers()
    }

    /// A view of the database that stays as it is.
    pub(crate) async fn view(&self) -> Result<DatabaseTransaction, StoreError> {
        Ok(self.readers().begin().await?)
    }

    /// Heads of the chunks in a range of ids, in their order.
    pub(crate) async fn heads(
        &self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let rows = self.readers().query_all_raw(self.dialect().heads(first, last)).await?;
        rows.iter().map(head).collect()
    }

    /// Heads of the first chunks after one, in some ranges of ids, that still have their readings.
    pub(crate) async fn heads_with_points(
        &self,
        ranges: &[(i64, i64)],
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let statement =
            self.dialect().heads_with_points(ranges, after, Chunk::WITHOUT_POINTS, limit);
        let rows = self.readers().query_all_raw(statement).await?;
        rows.iter().map(head).collect()
    }

    /// The first chunks in a range of ids.
    pub(crate) async fn first_chunks(
        &self,
        first: i64,
        last: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Chunk)>, StoreError> {
        let statement = self.dialect().first_chunks(first, last, limit);
        let rows = self.readers().query_all_raw(statement).await?;
        rows.iter().map(chunk).collect()
    }

    /// The chunks with these ids.
    pub(crate) async fn chunks(
        connection: &impl ConnectionTrait,
        ids: &[i64],
    ) -> Result<Vec<(i64, Chunk)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = connection.query_all_raw(dialect(connection).chunks(ids)).await?;
        rows.iter().map(chunk).collect()
    }

    /// The heads of the chunks with these ids.
    pub(crate) async fn heads_of(
        connection: &impl ConnectionTrait,
        ids: &[i64],
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = connection.query_all_raw(dialect(connection).heads_of(ids)).await?;
        rows.iter().map(head).collect()
    }

    /// The last chunk of each range of ids, in the order of the ranges.
    pub(crate) async fn last_chunks(
        &self,
        ranges: &[(i64, i64)],
    ) -> Result<Vec<Option<i64>>, StoreError> {
        let rows = self.readers().query_all_raw(self.dialect().last_chunks(ranges)).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// Roll-ups of a type from one hour to another, of one version or of all.
    pub(crate) async fn rollups(
        connection: &impl ConnectionTrait,
        kind: TypeId,
        version: Option<&Arc<str>>,
        hours: (u32, u32),
    ) -> Result<Vec<Rollup>, StoreError> {
        let statement = dialect(connection).rollups(kind, version, hours.0, hours.1);
        let rows = connection.query_all_raw(statement).await?;
        let rollup = |row: &QueryResult| {
            Ok(Rollup {
                kind,
                version: row.try_get::<String>("", "version")?.into(),
                hour: narrow(row, "reading_rollup", "hour")?,
                summary: row.try_get("", "summary")?,
            })
        };
        rows.iter().map(rollup).collect()
    }
}

fn head(row: &QueryResult) -> Result<(i64, Vec<u8>), StoreError> {
    Ok((row.try_get("", "id")?, row.try_get("", "head")?))
}

fn chunk(row: &QueryResult) -> Result<(i64, Chunk), StoreError> {
    let (id, head) = head(row)?;
    Ok((id, Chunk { head, points: row.try_get("", "points")? }))
}

fn reading_type(row: &QueryResult) -> Result<StoredType, StoreError> {
    let id: TypeId = narrow(row, "reading_type", "id")?;
    let bad = |column| move |_| corrupt("reading_type", column, id);
    let name = TypeName::parse(row.try_get::<String>("", "name")?).map_err(bad("name"))?;
    let unit = Unit::parse(row.try_get::<String>("", "unit")?).map_err(bad("unit"))?;
    let (minimum, maximum) = (row.try_get("", "minimum")?, row.try_get("", "maximum")?);
    let is_integer = row.try_get("", "is_integer")?;
    let kind = ReadingType::declare(name, unit, minimum, maximum, is_integer);
    Ok((id, kind.map_err(bad("maximum"))?))
}
