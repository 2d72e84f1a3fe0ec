//! Canary releases as pure values: what is true without a computer.
//!
//! No I/O, no threads, no clock and no randomness: time, salts and identifiers are arguments, so
//! that all that decides can be tested as a table and replayed from the log.
//!
//! # The parts, in the order one meets them
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`product`], [`version`], [`release`], [`signal`], [`policy`], [`reading`] | the nouns: newtypes that were checked once |
//! | [`time`], [`band`] | points in time, and the schedule by which a canary widens |
//! | [`stats`] | summaries of numbers that merge: ends, quantiles, mode, mean and variance |
//! | [`rollout`] | counts per band and arm; what follows from a run, or from time |
//! | [`judge`] | is the canary worse than it may be? |
//! | [`select`] | which of the two versions does this instance run? |
//! | [`lineup`] | the versions of one product in play, and every way they change |
//! | [`replay`] | what would another policy have done? |
//! | [`decision`] | what was done, on which evidence, in one plain sentence |
//!
//! # To add …
//!
//! * **a statistic**: 1. its question on [`stats::Summary`], answered by every way of keeping
//!   values; 2. if more has to be kept, a new version in `stats/codec.rs`, which still reads the
//!   old ones; 3. its laws, and its oracle, in `stats/tests/`.
//! * **a rule**: 1. a module in `judge/` with its test; 2. its state in [`judge::rules::Rules`], with
//!   its byte form; 3. what it found in [`judge::rules::findings`], its words in `decision/sentence.rs`.
//! * **a strategy**: 1. a module in `select/`; 2. a variant of [`select::Asker`]; 3. its reasons.
//!
//! # Example
//!
//! A canary that always fails is out after four runs, and says why.
//!
//! ```
//! use canary_core::judge::rules::Before;
//! use canary_core::lineup::{Effects, Lineup};
//! use canary_core::policy::Policy;
//! use canary_core::product::ProductId;
//! use canary_core::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
//! use canary_core::signal::Status;
//! use canary_core::time::Timestamp;
//! use canary_core::version::Version;
//!
//! let now = Timestamp::from_seconds(1_700_000_000);
//! let release = |number: u8, version: &str, state: State| -> Result<Release, _> {
//!     Ok::<_, canary_core::value::ValueError>(Release {
//!         id: ReleaseId::from_bytes([number; 16]),
//!         product: ProductId::from_bytes([0; 16]),
//!         version: Version::parse(version)?,
//!         state,
//!         is_canary: state == State::Running,
//!         threshold: Threshold::parse(80.0)?,
//!         canary_period: CanaryPeriod::parse(2.0)?,
//!         band_count: BandCount::parse(5)?,
//!         release_date: now,
//!         registered_at: now,
//!         policy: Policy::default(),
//!     })
//! };
//!
//! let (mut lineup, mut effects) = (Lineup::default(), Effects::default());
//! let none = Before::default();
//! lineup.register(release(1, "0.0.1", State::Stable)?, &none, now, &mut effects)?;
//! lineup.register(release(2, "0.0.2", State::Running)?, &none, now, &mut effects)?;
//!
//! let canary = ReleaseId::from_bytes([2; 16]);
//! for _ in 0..4 {
//!     lineup.observe(canary, Status::Failed, now, &mut effects);
//! }
//! assert_eq!(
//!     effects.decisions.last().map(|decision| decision.sentence.as_str()),
//!     Some(
//!         "rolled back 0.0.2: 4 of 4 runs failed, where at least 80 % must succeed \
//!          (rule threshold, p ≤ 0.0038); everybody gets 0.0.1 again; register the mended software \
//!          as a new version"
//!     )
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod band;
pub mod decision;
pub mod judge;
pub mod lineup;
pub mod policy;
pub mod product;
pub mod reading;
pub mod release;
pub mod replay;
pub mod rollout;
pub mod select;
pub mod signal;
pub mod stats;
#[cfg(test)]
mod testing;
pub mod time;
pub mod value;
pub mod version;
