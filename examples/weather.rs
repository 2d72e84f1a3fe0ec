//! Real input: what was the weather like, and does the server say what a plain sort says?
//!
//! ```text
//! cargo run --example weather -p canary-examples
//! ```
//!
//! The file has temperature and humidity of New York's three airports, hour by hour, in the first
//! half of 2013; `data/README.md` says where it comes from. The same file can be sent to a server
//! of your own:
//!
//! ```text
//! canary reading import examples/data/nyc-weather-2013-h1.csv.gz
//! canary reading stats --device EWR --type temperature
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use canary_examples::weather::{FILE, play};
use clap::Parser;

/// Sends the weather to a server of its own, and shows what the server says of it.
#[derive(Debug, Parser)]
struct Flags {
    /// A gzipped CSV file of readings: device_uuid, type, value, date_created
    #[arg(long, value_name = "FILE", default_value = FILE, hide_default_value = true)]
    data: PathBuf,
}

fn main() -> ExitCode {
    match play(&Flags::parse().data) {
        Ok(outcome) => {
            print!("{outcome}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("weather: {error}");
            ExitCode::FAILURE
        }
    }
}
