//! The same readings as single rows in SQLite, for scale.
//!
//! Generous to it: no HTTP, no JSON, and a table that is empty at the begin.

use std::path::Path;
use std::time::{Duration, Instant};

use canary_benches::Failure;
use rusqlite::Connection;

use canary_benches::dice::device_name;
use canary_benches::fleet::{Fleet, Reading, Shape};
use canary_benches::post::TYPES;

/// Rows in one transaction: as many as the load sends in one request.
const ROWS: u64 = 10_000;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE reading (
        device TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, value INTEGER NOT NULL
    );
    CREATE INDEX reading_by_series ON reading (device, type, at);
";

const INSERT: &str = "INSERT INTO reading (device, type, at, value) VALUES (?1, ?2, ?3, ?4)";

/// Rows in a second, each durable in an indexed table.
pub(crate) fn measure(directory: &Path, shape: Shape, time: Duration) -> Result<f64, Failure> {
    let mut database = Connection::open(directory.join("rows.db"))?;
    database.execute_batch(SCHEMA)?;
    let mut fleet = Fleet::new(shape);
    let names: Vec<String> = (0..u64::from(shape.devices)).map(device_name).collect();
    let (begin, mut rows) = (Instant::now(), 0);
    while begin.elapsed() < time {
        let transaction = database.transaction()?;
        let mut insert = transaction.prepare(INSERT)?;
        for _ in 0..ROWS {
            let Reading { device, kind, value, at } = fleet.next_reading();
            let (name, kind) = (&names[device as usize], TYPES[kind as usize]);
            insert.execute((name, kind, at.cast_signed(), value))?;
        }
        drop(insert);
        transaction.commit()?;
        rows += ROWS;
    }
    Ok(rows as f64 / begin.elapsed().as_secs_f64())
}
