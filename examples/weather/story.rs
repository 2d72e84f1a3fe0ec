//! The weather is sent, and asked for.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use canary_client::{Client, FleetFilter, Reading, ReadingFilter, ReadingSummary};
use canary_core::time::Timestamp;

use super::account::{Outcome, Place, Row};
use super::data::{self, Measured, Month};
use super::sorted;
use crate::temporary::TemporaryServer;

/// One request to the server holds a week.
const WEEK_S: i64 = 7 * 86_400;

/// Tells the weather in a file, with a server of its own, which is gone afterwards.
///
/// # Errors
///
/// What the file, the server or the client refuses, and a statistic that a plain sort contradicts.
pub fn play(file: &Path) -> Result<Outcome, Box<dyn Error>> {
    let rows = data::read(file)?;
    let server = TemporaryServer::start()?;
    send(&server, &rows)?;
    let outcome = ask(&server.client, &rows)?;
    server.stop()?;
    Ok(outcome)
}

/// Sends the rows week by week; when a week is sent, it is over.
fn send(server: &TemporaryServer, rows: &[Measured]) -> Result<(), Box<dyn Error>> {
    let week = |row: &Measured| row.date_created.div_euclid(WEEK_S);
    for week in rows.chunk_by(|one, next| week(one) == week(next)) {
        // No chunk is empty. What the server has folded until now it sums up by the hour, the rest
        // reading by reading; the answers are the same.
        let now = week.last().map_or(0, |last| last.date_created);
        server.clock.set(Timestamp::from_seconds(now));
        let readings = week.iter().map(|row| {
            Reading::new(&row.device_uuid, &row.kind, row.value).date_created(row.date_created)
        });
        let outcome = server.client.send_readings(readings)?;
        if let Some(rejected) = outcome.rejected.first() {
            return Err(format!("a reading was rejected: {}", rejected.detail).into());
        }
    }
    Ok(())
}

/// Asks for each airport and for all of them, month by month and as a whole.
fn ask(client: &Client, rows: &[Measured]) -> Result<Outcome, Box<dyn Error>> {
    let months = data::months(rows)?;
    let airports: BTreeSet<&str> = rows.iter().map(|row| row.device_uuid.as_str()).collect();
    let mut places = Vec::new();
    let mut compared = 0;
    for airport in airports.into_iter().map(Some).chain([None]) {
        let mut ask = |kind: &str, month: Option<Month>| {
            let summary = sum_up(client, airport, kind, month)?;
            compared += sorted::check(&summary, rows, airport, kind, month)?;
            Ok::<ReadingSummary, Box<dyn Error>>(summary)
        };
        let mut row = |month: Option<Month>| {
            let (temperature, humidity) = (ask("temperature", month)?, ask("humidity", month)?);
            Ok::<Row, Box<dyn Error>>(Row { month, temperature, humidity })
        };
        let by_month = months.iter().map(|month| row(Some(*month))).collect::<Result<_, _>>()?;
        let airport = airport.map(str::to_owned);
        places.push(Place { airport, months: by_month, whole: row(None)? });
    }
    Ok(Outcome { readings: rows.len(), places, compared })
}

/// All statistics of an airport, or of all of them.
fn sum_up(
    client: &Client,
    airport: Option<&str>,
    kind: &str,
    month: Option<Month>,
) -> Result<ReadingSummary, Box<dyn Error>> {
    let summary = match airport {
        Some(airport) => {
            let filter = ReadingFilter::new(airport).reading_type(kind);
            let filter = match month {
                Some(Month { start, end, .. }) => filter.start(start).end(end),
                None => filter,
            };
            client.summary(&filter, None)?
        }
        None => {
            let filter = FleetFilter::new(kind);
            let filter = match month {
                Some(Month { start, end, .. }) => filter.start(start).end(end),
                None => filter,
            };
            client.fleet_summary(&filter, None)?
        }
    };
    let whose = airport.unwrap_or("all airports");
    Ok(summary.ok_or_else(|| format!("{whose} measured no {kind} in a month"))?)
}
