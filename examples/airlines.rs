//! Real input: which airlines does the judge tell apart, and after how many flights?
//!
//! ```text
//! cargo run --example airlines -p canary-examples
//! cargo run --example airlines -p canary-examples -- --data nyc-flights-2013-h1.csv.gz
//! ```
//!
//! Without `--data` it takes the half year if that lies where `data/README.md` says, else the
//! sample, which has Delta (DL), ExpressJet (EV), Envoy (MQ) and United (UA). Prints Markdown.

use std::path::PathBuf;
use std::process::ExitCode;

use canary_examples::airlines::{Trials, data};
use clap::Parser;

/// Goes through the flights of pairs of airlines as stable version and canary, by three policies.
#[derive(Debug, Parser)]
struct Flags {
    /// A gzipped CSV file of flights
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The lowest acceptable part of flights that do not fail, in percent
    #[arg(long, default_value_t = Trials::THRESHOLD)]
    threshold: f64,
    /// The failure rate that is called acceptable, for early promotion
    #[arg(long, default_value_t = Trials::Q)]
    q: f64,
    /// How often the flights of one airline are split at random
    #[arg(long, default_value_t = Trials::SPLITS)]
    splits: u32,
    /// What the random splits begin with
    #[arg(long, default_value_t = Trials::SEED)]
    seed: u64,
}

fn main() -> ExitCode {
    let Flags { data: file, threshold, q, splits, seed } = Flags::parse();
    let trials = Trials { data: file.unwrap_or_else(data), threshold, q, splits, seed };
    match trials.play() {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("airlines: {error}");
            ExitCode::FAILURE
        }
    }
}
