//! The client of Canary: ask which version to run, run it, and report how it went.
//!
//! Blocking, without an asynchronous runtime: a program that wants to know a version number
//! should not have to carry one. What a call waits for is bounded by the timeouts of the
//! [`ClientBuilder`]; what can be repeated is repeated, and every call carries what makes
//! repeating it safe.
//!
//! # A worked example
//!
//! A scheduler asks for the version of each run, and reports the outcome:
//!
//! ```no_run
//! use canary_client::{Client, Signal};
//!
//! # fn run(_version: &str) -> Result<f64, String> { Ok(12.5) }
//! let artifact = "https://registry.example/etl";
//! // CANARY_URL and CANARY_TOKEN say where and as whom; http://localhost:8080 is the default.
//! let client = Client::from_environment()?;
//!
//! let version = client.latest_stable_version("etl")?;
//! let signal = match run(&version) {
//!     Ok(rows_per_s) => Signal::success(artifact, &version, "run-2031-05-07")
//!         .measurement("rows_per_s", rows_per_s),
//!     Err(cause) => Signal::failed(artifact, &version, "run-2031-05-07").description(cause),
//! };
//! let id = client.send_signal(&signal)?;
//! println!("recorded as {id}");
//! # Ok::<(), canary_client::Error>(())
//! ```
//!
//! Whoever makes the versions registers them, and may watch what becomes of them:
//!
//! ```no_run
//! use canary_client::{Client, NewProduct, NewRelease, Policy};
//!
//! let client = Client::new("http://localhost:8080")?;
//! let product = client.create_product(&NewProduct::new(
//!     "etl",
//!     "https://git.example/etl",
//!     "https://registry.example/etl",
//! ))?;
//! let stable = NewRelease::new(&product.artifact_url, "1.4.0").is_canary(false);
//! client.create_release(&stable)?;
//! let canary = NewRelease::new(&product.artifact_url, "1.5.0")
//!     .canary_period(0.5)
//!     .threshold(95.0)
//!     .policy(Policy::default().early_promotion(true));
//! let id = client.create_release(&canary)?;
//!
//! for decision in client.decisions(&id)? {
//!     println!("{} {}", decision.at, decision.sentence);
//! }
//! if let Some(outlook) = client.analysis(&id)?.outlook {
//!     println!("{}", outlook.sentence);
//! }
//! # Ok::<(), canary_client::Error>(())
//! ```
//!
//! Devices report what they measure, and anybody may ask what it says together:
//!
//! ```no_run
//! use canary_client::{Client, FleetFilter, Reading, ReadingFilter};
//!
//! let client = Client::from_environment()?;
//! client.send_reading(&Reading::new("greenhouse-7", "temperature", 22).version("1.5.0"))?;
//! let evening = (1_935_835_200..).zip([60, 61, 63, 62, 60]);
//! let evening = evening.map(|(second, value)| {
//!     Reading::new("greenhouse-7", "humidity", value).date_created(second)
//! });
//! for rejection in client.send_readings(evening)?.rejected {
//!     println!("reading {}: {}", rejection.index, rejection.detail);
//! }
//!
//! let humidity = ReadingFilter::new("greenhouse-7").reading_type("humidity");
//! if let Some(highest) = client.reading_max(&humidity)? {
//!     println!("{} at {}", highest.value, highest.date_created);
//! }
//! if let Some(summary) = client.fleet_summary(&FleetFilter::new("temperature"), None)? {
//!     println!("{} readings, {} on average", summary.count, summary.mean);
//! }
//! # Ok::<(), canary_client::Error>(())
//! ```
//!
//! # The parts, in the order one meets them
//!
//! | part | what it is |
//! | --- | --- |
//! | [`Client`], [`ClientBuilder`] | the connection, and what can be set about it |
//! | [`Signal`], [`Latest`] | what is reported, and what is answered to an instance |
//! | [`NewProduct`], [`NewRelease`], [`Product`], [`Release`], [`Decision`] | what is registered, and what became of it |
//! | [`Policy`] | how a canary is judged: of one release, or of all releases of a product |
//! | [`Analysis`], [`Simulation`] | what the judge sees, and what another policy would have done |
//! | [`Reading`], [`ReadingFilter`], [`FleetFilter`] | what devices measure, and which of it is meant |
//! | [`StoredReading`], [`ReadingSummary`], [`Quartiles`] | what was measured, and what it says together |
//! | [`NewReadingType`], [`ReadingType`] | what a value means |
//! | [`AuditEntry`], [`AuditFilter`], [`AuditPages`] | who did what, when and from where |
//! | [`Error`] | everything that can go wrong, and what to change then |
//!
//! # What is repeated, and when
//!
//! A call is repeated when the server could not be reached or the connection broke, and when it
//! answered 502, 503 or 504: at most three times (see [`ClientBuilder::retries`]), after 0.2, 0.4
//! and 0.8 seconds, less up to half of it so that many clients do not come back at once.
//! `Retry-After` is honoured up to 30 seconds; a longer one ends the call with [`Error::Busy`].
//! What the server refuses is never repeated. A call that took too long is not repeated either:
//! its time is used up.

#![warn(missing_docs)]

mod client;
mod config;
mod error;
mod retry;
mod transport;
mod types;

pub use client::{AuditPages, Client, Listing};
pub use config::ClientBuilder;
pub use error::{Error, FieldError, Result};
pub use types::analysis::{
    Analysis, Comparisons, FailureRates, JudgedArm, MannWhitney, MeasurementComparison, Outlook,
    Quantiles, ReleaseName, Welch,
};
pub use types::audit::{AuditAbout, AuditActor, AuditEntry, AuditFilter};
pub use types::decision::{Decision, Evidence};
pub use types::findings::{
    BaselineTest, Findings, Measured, MeasurementTest, OpenBlock, ProofTest, SequentialTest,
    ThresholdTest,
};
pub use types::policy::{AtEnd, Direction, OnInsufficient, OnSupersede, Policy, ThresholdRule};
pub use types::product::{NewProduct, Product, ProductFilter};
pub use types::reading::declared::{NewReadingType, ReadingType};
pub use types::reading::filter::{FleetFilter, ReadingFilter};
pub use types::reading::summary::{Bin, Quartiles, ReadingSummary};
pub use types::reading::{Reading, ReadingsOutcome, StoredReading};
pub use types::release::{Arm, Band, Counts, Latest, NewRelease, Release, Unreported};
pub use types::signal::{BatchOutcome, Rejection, Signal};
pub use types::simulation::{NewSimulation, Runs, Simulation, SimulationPlan};

/// The program in the README is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
