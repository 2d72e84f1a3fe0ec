//! Real input: which of two airlines would you let fly?
//!
//! ```text
//! cargo run --example flights -p canary-examples -- --stable UA --canary EV
//! ```
//!
//! The sample has Delta (DL), ExpressJet (EV), Envoy (MQ) and United (UA) from New York in the
//! first half of January 2013; `data/README.md` says where there is more.

use std::path::PathBuf;
use std::process::ExitCode;

use canary_examples::flights::{SAMPLE, Story, play};
use clap::Parser;

/// Plays two airlines as stable version and canary, flight by flight, up to the verdict.
#[derive(Debug, Parser)]
struct Flags {
    /// The airline in the place of the stable version
    #[arg(long)]
    stable: String,
    /// The airline in the place of the canary
    #[arg(long)]
    canary: String,
    /// A gzipped CSV file of flights
    #[arg(long, value_name = "FILE", default_value = SAMPLE, hide_default_value = true)]
    data: PathBuf,
    /// The lowest acceptable part of flights that do not fail, in percent
    #[arg(long, default_value_t = 75.0)]
    threshold: f64,
    /// How many days the canary is on trial
    #[arg(long, default_value_t = 14.0)]
    days: f64,
}

fn main() -> ExitCode {
    let Flags { stable, canary, data, threshold, days } = Flags::parse();
    match play(&Story { stable, canary, data, threshold, days }) {
        Ok(outcome) => {
            print!("{outcome}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("flights: {error}");
            ExitCode::FAILURE
        }
    }
}
