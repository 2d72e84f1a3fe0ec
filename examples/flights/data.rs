//! Flights from a file.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::fs::File;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

/// The flights that lie beside this program, see `data/README.md`.
pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/flights-sample.csv.gz");

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Flight {
    /// When it was to depart, in seconds since 1970.
    pub scheduled_at: i64,
    /// The airline, by its two letters.
    pub carrier: String,
    /// The aircraft, by its registration; `unknown` where the flight never got one.
    pub aircraft: String,
    /// The airport it was to depart from.
    pub origin: String,
    /// Minutes after the scheduled arrival, less than 0 if early; nothing if it never arrived.
    pub arrival_delay_min: Option<f64>,
    /// `success`, or `failed`: more than 15 minutes late, cancelled or diverted.
    pub status: String,
    /// How many equal flights stand before it: several cancelled ones may share all of the above.
    #[serde(skip)]
    pub twin: u32,
}

/// Reads the flights of two airlines from a gzipped CSV file, in the order of time.
///
/// # Errors
///
/// If the file cannot be read, or has no flight of one of the airlines.
pub fn read(file: &Path, carriers: [&str; 2]) -> Result<Vec<Flight>, Box<dyn Error>> {
    let all = read_all(file)?;
    let known: BTreeSet<&str> = all.iter().map(|flight| flight.carrier.as_str()).collect();
    if let Some(carrier) = carriers.into_iter().find(|carrier| !known.contains(carrier)) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        let file = file.display();
        return Err(format!("no flight of `{carrier}` in `{file}`, which has {known}").into());
    }
    let is_wanted = |flight: &Flight| carriers.contains(&flight.carrier.as_str());
    let mut flights: Vec<Flight> = all.into_iter().filter(is_wanted).collect();
    number_twins(&mut flights);
    Ok(flights)
}

/// Reads all flights from a gzipped CSV file, in the order of time; twins are not told apart.
///
/// # Errors
///
/// If the file cannot be read.
pub fn read_all(file: &Path) -> Result<Vec<Flight>, Box<dyn Error>> {
    let in_file = |cause: &dyn Error| format!("cannot read `{}`: {cause}", file.display());
    let opened = File::open(file).map_err(|cause| in_file(&cause))?;
    let rows = csv::Reader::from_reader(MultiGzDecoder::new(opened)).into_deserialize();
    let mut flights: Vec<Flight> =
        rows.collect::<Result<_, _>>().map_err(|cause| in_file(&cause))?;
    flights.sort_by_key(|flight| flight.scheduled_at);
    Ok(flights)
}

fn number_twins(flights: &mut [Flight]) {
    let mut seen = HashMap::new();
    for flight in flights {
        let Flight { scheduled_at, carrier, aircraft, origin, .. } = &*flight;
        let same = (*scheduled_at, carrier.clone(), aircraft.clone(), origin.clone());
        let before: &mut u32 = seen.entry(same).or_default();
        flight.twin = *before;
        *before += 1;
    }
}
