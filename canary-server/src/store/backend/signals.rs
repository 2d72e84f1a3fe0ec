//! Statements that write and read signals.

use canary_core::signal::Signal;
use sea_orm::prelude::Uuid;
use sea_orm::{DbBackend, Statement, Value};
use serde::Serialize;
use serde::ser::SerializeTuple as _;

use super::{Dialect, to_json};
use crate::store::changes::CountedSignal;

/// Among how many signals, counted from the newest that may count, measurements are looked for.
const LOOKED_AT: i64 = 1_000_000;

impl Dialect {
    /// Inserts signals in one statement, whatever their number.
    ///
    /// The text of the statement is always the same, so it stays prepared, and for the dozens of
    /// rows of a usual commit it is quicker than one parameter per cell. SQLite takes one parameter
    /// of JSON; PostgreSQL an array for each column, in half the time that JSON takes there.
    pub(in crate::store) fn insert_signals(self, signals: &[CountedSignal]) -> Statement {
        const SQLITE: &str = "INSERT INTO signal \
            (id, release_id, band, instance_id, description, status, created_at, received_at, measurements) \
            SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, \
            value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM json_each(?)";
        const POSTGRES: &str = "INSERT INTO signal \
            (id, release_id, band, instance_id, description, status, created_at, received_at, measurements) \
            SELECT id, release_id, nullif(band, -1), instance_id, description, status, created_at, \
            received_at, nullif(measurements, '') FROM unnest($1::uuid[], $2::uuid[], $3::integer[], \
            $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[]) \
            WITH ORDINALITY AS row (id, release_id, band, instance_id, description, status, \
            created_at, received_at, measurements, place) ORDER BY place";
        match self {
            Self::Sqlite => {
                let rows: Vec<_> = signals.iter().map(SignalRow).collect();
                Statement::from_sql_and_values(DbBackend::Sqlite, SQLITE, [to_json(&rows).into()])
            }
            Self::Postgres => {
                Statement::from_sql_and_values(DbBackend::Postgres, POSTGRES, columns(signals))
            }
        }
    }

    /// What the newest runs of a release up to a number have measured; neutral ones say nothing about
    /// it.
    pub(in crate::store) fn newest_measurements(
        self,
        release: Uuid,
        up_to: i64,
        most: u64,
    ) -> Statement {
        const SQL: &str = "SELECT measurements FROM signal WHERE release_id = ? \
        AND measurements IS NOT NULL AND status <> 'neutral' \
        AND number > ? AND number <= ? ORDER BY number DESC LIMIT ?";
        let after = up_to.saturating_sub(LOOKED_AT);
        let values = [release.into(), after.into(), up_to.into(), most.into()];
        self.plain(SQL, values)
    }

    /// The first run after a number that was counted in the rollout of a canary: one of its own, or one
    /// of the stable version that fell into a band.
    pub(in crate::store) fn first_run(self, [canary, stable]: [Uuid; 2], after: i64) -> Statement {
        const SQL: &str = "SELECT number FROM signal WHERE number > ? \
        AND (release_id = ? OR (release_id = ? AND band IS NOT NULL)) ORDER BY number LIMIT 1";
        let values = [after.into(), canary.into(), stable.into()];
        self.plain(SQL, values)
    }

    /// Runs of two releases after a number, oldest first.
    pub(in crate::store) fn runs(
        self,
        [one, other]: [Uuid; 2],
        after: i64,
        most: u64,
    ) -> Statement {
        const SQL: &str = "SELECT number, release_id, CAST(band AS integer) AS band, instance_id, status, received_at, \
        measurements FROM signal WHERE number > ? AND release_id IN (?, ?) ORDER BY number LIMIT ?";
        let values = [after.into(), one.into(), other.into(), most.into()];
        self.plain(SQL, values)
    }

    /// The first signal with this number or a higher one, and when it arrived.
    pub(in crate::store) fn arrival_from(self, number: i64) -> Statement {
        const SQL: &str =
            "SELECT number, received_at FROM signal WHERE number >= ? ORDER BY number LIMIT 1";
        self.plain(SQL, [number.into()])
    }

    /// The highest number.
    pub(in crate::store) fn last_signal(self) -> Statement {
        self.plain("SELECT max(number) AS number FROM signal", [])
    }
}

/// Signals as arrays, in the order of their columns. Elements of an array are never null here: no
/// band is -1, and no measurements are an empty text.
fn columns(signals: &[CountedSignal]) -> [Value; 9] {
    fn column<T>(signals: &[CountedSignal], cell: impl Fn(&CountedSignal) -> T) -> Value
    where
        Vec<T>: Into<Value>,
    {
        signals.iter().map(cell).collect::<Vec<T>>().into()
    }
    [
        column(signals, |row| Uuid::from_bytes(*row.signal.id.as_bytes())),
        column(signals, |row| Uuid::from_bytes(*row.signal.release.as_bytes())),
        column(signals, |row| row.band.map_or(-1, i32::from)),
        column(signals, |row| row.signal.instance.as_str().to_owned()),
        column(signals, |row| row.signal.description.as_str().to_owned()),
        column(signals, |row| row.signal.status.as_str().to_owned()),
        column(signals, |row| row.signal.created_at.as_micros()),
        column(signals, |row| row.received_at.as_micros()),
        column(signals, |row| measurements(&row.signal).unwrap_or_default()),
    ]
}

/// A signal as a JSON array, in the order of its columns.
struct SignalRow<'a>(&'a CountedSignal);

impl Serialize for SignalRow<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CountedSignal { signal, band, received_at } = self.0;
        let mut row = serializer.serialize_tuple(9)?;
        row.serialize_element(&Hex(signal.id.as_bytes()))?;
        row.serialize_element(&Hex(signal.release.as_bytes()))?;
        row.serialize_element(band)?;
        row.serialize_element(signal.instance.as_str())?;
        row.serialize_element(signal.description.as_str())?;
        row.serialize_element(signal.status.as_str())?;
        row.serialize_element(&signal.created_at.as_micros())?;
        row.serialize_element(&received_at.as_micros())?;
        row.serialize_element(&measurements(signal))?;
        row.end()
    }
}

/// The measurements as JSON text, `None` if nothing was measured.
fn measurements(signal: &Signal) -> Option<String> {
    if signal.measurements.is_empty() {
        return None;
    }
    let map: serde_json::Map<String, serde_json::Value> = signal
        .measurements
        .iter()
        .map(|(name, value)| (name.to_owned(), serde_json::Value::from(value)))
        .collect();
    Some(serde_json::Value::Object(map).to_string())
}

/// Bytes in hexadecimal, without an allocation of their own.
struct Hex<'a>(&'a [u8; 16]);

impl Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Uuid::encode_buffer();
        serializer.serialize_str(Uuid::from_bytes(*self.0).simple().encode_lower(&mut text))
    }
}
