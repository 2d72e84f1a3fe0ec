//! Weather from a file.

use std::error::Error;
use std::fs::File;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

/// The weather that lies beside this program, see `data/README.md`.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/nyc-weather-2013-h1.csv.gz");

/// One row of the file: what a device measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Measured {
    /// The airport, by its three letters.
    pub device_uuid: String,
    /// `temperature` in °F, or `humidity` in percent.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value, a whole number.
    pub value: f64,
    /// When, in seconds since 1970.
    pub date_created: i64,
}

/// Reads a gzipped CSV file, in the order of time.
///
/// # Errors
///
/// If the file cannot be read, or there is nothing in it.
pub fn read(file: &Path) -> Result<Vec<Measured>, Box<dyn Error>> {
    let in_file = |cause: &dyn Error| format!("cannot read `{}`: {cause}", file.display());
    let opened = File::open(file).map_err(|cause| in_file(&cause))?;
    let rows = csv::Reader::from_reader(MultiGzDecoder::new(opened)).into_deserialize();
    let rows: Result<Vec<Measured>, csv::Error> = rows.collect();
    let mut rows = rows.map_err(|cause| in_file(&cause))?;
    if rows.is_empty() {
        return Err(format!("there is no weather in `{}`", file.display()).into());
    }
    rows.sort_by_key(|row| row.date_created);
    Ok(rows)
}

/// A month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub first: Date,
    /// Its first second, since 1970.
    pub start: i64,
    /// Its last second.
    pub end: i64,
}

/// The months from the first reading to the last.
///
/// # Errors
///
/// If a time lies beyond all calendars.
pub fn months(rows: &[Measured]) -> Result<Vec<Month>, jiff::Error> {
    let day = |row: &Measured| {
        let time = Timestamp::from_second(row.date_created)?;
        Ok::<Date, jiff::Error>(time.to_zoned(TimeZone::UTC).date())
    };
    let begin = |first: Date| {
        Ok::<i64, jiff::Error>(first.to_zoned(TimeZone::UTC)?.timestamp().as_second())
    };
    let (Some(oldest), Some(newest)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let (mut first, last) = (day(oldest)?.first_of_month(), day(newest)?);
    let mut months = Vec::new();
    while first <= last {
        let next = first.checked_add(1.month())?;
        months.push(Month { first, start: begin(first)?, end: begin(next)? - 1 });
        first = next;
    }
    Ok(months)
}
