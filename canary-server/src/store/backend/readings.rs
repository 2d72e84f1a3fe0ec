//! The statements of readings that have a dialect.
//!
//! As elsewhere here, many rows are one parameter of JSON; bytes of many rows are one parameter of
//! bytes, and the JSON says where each begins (counted from 1) and how many it has.

use std::sync::Arc;

use canary_core::reading::ReadingType;
use sea_orm::Statement;
use serde::Serialize;

use super::{Dialect, to_json};
use crate::readings::{Chunk, Fold, Rollup, SeriesRow, TypeId};
use crate::store::changes::PackedBlock;

/// Columns of bytes for many rows.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    /// Place and length of what was appended.
    fn append(&mut self, bytes: &[u8]) -> (usize, usize) {
        let place = self.0.len() + 1;
        self.0.extend(bytes);
        (place, bytes.len())
    }
}

impl Dialect {
    /// Inserts new series.
    pub(in crate::store) fn insert_series(self, rows: &[SeriesRow]) -> Statement {
        const SQLITE: &str = "INSERT INTO reading_series (id, device, type_id, version) \
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
        const POSTGRES: &str = "INSERT INTO reading_series (id, device, type_id, version) \
        SELECT (value ->> 0)::bigint, value ->> 1, (value ->> 2)::int, value ->> 3 \
        FROM jsonb_array_elements($1::jsonb)";
        let row = |row: &'_ SeriesRow| {
            (row.id, row.device.to_string(), row.kind, row.version.to_string())
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        self.statement(SQLITE, POSTGRES, [to_json(&rows).into()])
    }

    /// Inserts the block of a commit.
    pub(in crate::store) fn insert_block(self, block: &PackedBlock) -> Statement {
        const SQL: &str = "INSERT INTO reading_block (id, readings, bytes) VALUES (?, ?, ?)";
        let readings = i64::from(block.readings).into();
        self.plain(SQL, [block.id.into(), readings, block.bytes.clone().into()])
    }

    /// The blocks with these numbers.
    pub(in crate::store) fn blocks(self, ids: &[i64]) -> Statement {
        const SQLITE: &str = "SELECT id, bytes FROM reading_block \
        WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
        const POSTGRES: &str = "SELECT id, bytes FROM reading_block WHERE id = ANY($1) ORDER BY id";
        match self {
            Self::Sqlite => self.statement(SQLITE, POSTGRES, [to_json(ids).into()]),
            Self::Postgres => self.statement(SQLITE, POSTGRES, [ids.to_vec().into()]),
        }
    }

    /// Refuses what was made from another revision of the folding, and changes nothing.
    pub(in crate::store) fn hold_fold(self, revision: i64) -> Statement {
        const SQL: &str = "UPDATE reading_fold SET \
        revision = CASE WHEN revision = ? THEN revision END WHERE id = 1";
        self.plain(SQL, [revision.into()])
    }

    /// Inserts a type, or replaces the one of the same name.
    pub(in crate::store) fn put_type(self, id: TypeId, kind: &ReadingType) -> Statement {
        const SQL: &str = "INSERT INTO reading_type (id, name, unit, minimum, maximum, is_integer) \
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET id = excluded.id, \
        unit = excluded.unit, minimum = excluded.minimum, maximum = excluded.maximum, \
        is_integer = excluded.is_integer";
        let values = [
            i32::from(id).into(),
            kind.name.as_str().into(),
            kind.unit.as_str().into(),
            kind.minimum().into(),
            kind.maximum().into(),
            kind.is_integer().into(),
        ];
        self.plain(SQL, values)
    }

    /// Deletes blocks that were folded or merged.
    pub(in crate::store) fn delete_blocks(self, ids: &[i64]) -> Statement {
        const SQLITE: &str =
            "DELETE FROM reading_block WHERE id IN (SELECT value FROM json_each(?))";
        const POSTGRES: &str = "DELETE FROM reading_block WHERE id IN \
        (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))";
        self.statement(SQLITE, POSTGRES, [to_json(ids).into()])
    }

    /// Inserts chunks, or replaces them.
    pub(in crate::store) fn put_chunks(self, chunks: &[(i64, Chunk)]) -> Statement {
        const SQLITE: &str = "INSERT INTO reading_chunk (id, head, points) SELECT value ->> 0, \
        substr(?, value ->> 1, value ->> 2), substr(?, value ->> 3, value ->> 4) \
        FROM json_each(?) WHERE true \
        ON CONFLICT (id) DO UPDATE SET head = excluded.head, points = excluded.points";
        const POSTGRES: &str = "INSERT INTO reading_chunk (id, head, points) SELECT (value ->> 0)::bigint, \
        substr($1, (value ->> 1)::int, (value ->> 2)::int), \
        substr($2, (value ->> 3)::int, (value ->> 4)::int) \
        FROM jsonb_array_elements($3::jsonb) \
        ON CONFLICT (id) DO UPDATE SET head = excluded.head, points = excluded.points";
        #[derive(Serialize)]
        struct Row(i64, usize, usize, Option<usize>, Option<usize>);
        let (mut heads, mut lists) = (Bytes::default(), Bytes::default());
        let row = |(id, chunk): &(i64, Chunk)| {
            let (head, length) = heads.append(&chunk.head);
            let list = chunk.points.as_ref().map(|points| lists.append(points));
            Row(*id, head, length, list.map(|(place, _)| place), list.map(|(_, length)| length))
        };
        let rows: Vec<Row> = chunks.iter().map(row).collect();
        self.statement(SQLITE, POSTGRES, [heads.0.into(), lists.0.into(), to_json(&rows).into()])
    }

    /// Inserts roll-ups, or replaces them.
    pub(in crate::store) fn put_rollups(self, rollups: &[Rollup]) -> Statement {
        const SQLITE: &str = "INSERT INTO reading_rollup (type_id, version, hour, summary) \
        SELECT value ->> 0, value ->> 1, value ->> 2, substr(?, value ->> 3, value ->> 4) \
        FROM json_each(?) WHERE true \
        ON CONFLICT (type_id, version, hour) DO UPDATE SET summary = excluded.summary";
        const POSTGRES: &str = "INSERT INTO reading_rollup (type_id, version, hour, summary) \
        SELECT (value ->> 0)::int, value ->> 1, (value ->> 2)::bigint, \
        substr($1, (value ->> 3)::int, (value ->> 4)::int) FROM jsonb_array_elements($2::jsonb) \
        ON CONFLICT (type_id, version, hour) DO UPDATE SET summary = excluded.summary";
        let mut summaries = Bytes::default();
        let row = |rollup: &Rollup| {
            let (place, length) = summaries.append(&rollup.summary);
            (rollup.kind, rollup.version.to_string(), rollup.hour, place, length)
        };
        let rows: Vec<_> = rollups.iter().map(row).collect();
        self.statement(SQLITE, POSTGRES, [summaries.0.into(), to_json(&rows).into()])
    }

    /// Notes how far folding is, one revision on.
    ///
    /// Where another process has folded meanwhile the revision becomes none, which its column refuses:
    /// the commit fails, see [`refused`](super::refused).
    pub(in crate::store) fn step_fold(self, revision: i64, to: &Fold) -> Statement {
        const SQL: &str = "UPDATE reading_fold SET \
        revision = CASE WHEN revision = ? THEN revision + 1 END, \
        last_block = ?, series = ?, second = ?, thinned_hour = ? WHERE id = 1";
        let Fold { last_block, series, second, thinned_hour, .. } = *to;
        let number = |number: u32| sea_orm::Value::from(i64::from(number));
        let values = [
            revision.into(),
            last_block.into(),
            number(series),
            number(second),
            number(thinned_hour),
        ];
        self.plain(SQL, values)
    }

    /// Heads of the chunks in a range of ids, in their order.
    pub(in crate::store) fn heads(self, first: i64, last: i64) -> Statement {
        const SQL: &str = "SELECT id, head FROM reading_chunk WHERE id BETWEEN ? AND ? ORDER BY id";
        self.plain(SQL, [first.into(), last.into()])
    }

    /// The first chunks in a range of ids, whole.
    pub(in crate::store) fn first_chunks(self, first: i64, last: i64, limit: u32) -> Statement {
        const SQL: &str = "SELECT id, head, points FROM reading_chunk \
        WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?";
        self.plain(SQL, [first.into(), last.into(), i64::from(limit).into()])
    }

    /// Heads of the first chunks after one, in some ranges of ids, that still have their readings.
    ///
    /// `summary` is the format of heads that have none.
    pub(in crate::store) fn heads_with_points(
        self,
        ranges: &[(i64, i64)],
        after: i64,
        summary: u8,
        limit: u32,
    ) -> Statement {
        const SQLITE: &str = "SELECT chunk.id AS id, chunk.head AS head \
        FROM json_each(?) AS range CROSS JOIN reading_chunk AS chunk \
        ON chunk.id BETWEEN max(range.value ->> 0, ? + 1) AND range.value ->> 1 \
        WHERE chunk.points IS NOT NULL OR substr(chunk.head, 1, 1) <> ? \
        ORDER BY chunk.id LIMIT ?";
        const POSTGRES: &str = "SELECT chunk.id AS id, chunk.head AS head \
        FROM jsonb_array_elements($1::jsonb) AS range CROSS JOIN LATERAL \
        (SELECT id, head, points FROM reading_chunk WHERE id BETWEEN \
        greatest((range.value ->> 0)::bigint, $2 + 1) AND (range.value ->> 1)::bigint) AS chunk \
        WHERE chunk.points IS NOT NULL OR substr(chunk.head, 1, 1) <> $3 \
        ORDER BY chunk.id LIMIT $4";
        let values =
            [to_json(ranges).into(), after.into(), vec![summary].into(), i64::from(limit).into()];
        self.statement(SQLITE, POSTGRES, values)
    }

    /// The chunks with these ids, whole.
    pub(in crate::store) fn chunks(self, ids: &[i64]) -> Statement {
        const SQLITE: &str = "SELECT id, head, points FROM reading_chunk \
        WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
        const POSTGRES: &str = "SELECT id, head, points FROM reading_chunk WHERE id IN \
        (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) ORDER BY id";
        self.statement(SQLITE, POSTGRES, [to_json(ids).into()])
    }

    /// The heads of the chunks with these ids.
    pub(in crate::store) fn heads_of(self, ids: &[i64]) -> Statement {
        const SQLITE: &str = "SELECT id, head FROM reading_chunk \
        WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
        const POSTGRES: &str = "SELECT id, head FROM reading_chunk WHERE id IN \
        (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) ORDER BY id";
        self.statement(SQLITE, POSTGRES, [to_json(ids).into()])
    }

    /// The last chunk of each of these ranges of ids.
    pub(in crate::store) fn last_chunks(self, ranges: &[(i64, i64)]) -> Statement {
        const SQLITE: &str = "SELECT (SELECT max(id) FROM reading_chunk \
        WHERE id BETWEEN range.value ->> 0 AND range.value ->> 1) AS id FROM json_each(?) AS range";
        const POSTGRES: &str = "SELECT (SELECT max(id) FROM reading_chunk WHERE id BETWEEN \
        (range.value ->> 0)::bigint AND (range.value ->> 1)::bigint) AS id \
        FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS range (value, place) \
        ORDER BY range.place";
        self.statement(SQLITE, POSTGRES, [to_json(ranges).into()])
    }

    /// Roll-ups of a type from one hour to another, of one version or of all.
    pub(in crate::store) fn rollups(
        self,
        kind: u16,
        version: Option<&Arc<str>>,
        first_hour: u32,
        last_hour: u32,
    ) -> Statement {
        // Its key is type, version, hour: with a version that is known, no other hour is looked at.
        const OF_ALL: &str = "SELECT version, hour, summary FROM reading_rollup \
            WHERE type_id = ? AND hour BETWEEN ? AND ?";
        const OF_ONE: &str = "SELECT version, hour, summary FROM reading_rollup \
            WHERE type_id = ? AND hour BETWEEN ? AND ? AND version = ?";
        let [first_hour, last_hour] = [first_hour, last_hour].map(i64::from);
        let hours: [sea_orm::Value; 3] =
            [i32::from(kind).into(), first_hour.into(), last_hour.into()];
        match version {
            None => self.plain(OF_ALL, hours),
            Some(version) => {
                let version = sea_orm::Value::from(version.to_string());
                self.plain(OF_ONE, hours.into_iter().chain([version]))
            }
        }
    }
}
