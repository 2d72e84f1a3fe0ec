//! One trial: the flights of two airlines, one policy.

use std::error::Error;

use canary_core::judge::rules::Run;
use canary_core::policy::Policy;
use canary_core::release::{BandCount, CanaryPeriod, Threshold};
use canary_core::replay::{Outcome, Plan, Replay};
use canary_core::rollout::Arm;
use canary_core::signal::{InstanceId, Measurements, Status};
use canary_core::time::Timestamp;
use canary_core::version::Version;

use crate::flights::Flight;

/// The name that the delay on arrival has as a measurement, in minutes.
pub const DELAY: &str = "arrival_delay_min";

/// What a flight that never got an aircraft has in place of a registration.
const UNKNOWN: &str = "unknown";

/// A flight as a judge sees it.
struct Flown {
    at: Timestamp,
    status: Status,
    aircraft: Option<InstanceId>,
    measured: Measurements,
}

impl Flown {
    fn of(flight: &Flight) -> Result<Self, Box<dyn Error>> {
        // Flights that were cancelled before they got an aircraft are not one and the same.
        let aircraft = Some(&flight.aircraft).filter(|aircraft| *aircraft != UNKNOWN);
        let delay = flight.arrival_delay_min.map(|delay| (DELAY.to_owned(), delay));
        Ok(Self {
            at: Timestamp::from_seconds(flight.scheduled_at),
            status: Status::parse(&flight.status)?,
            aircraft: aircraft.map(|aircraft| InstanceId::parse(aircraft.as_str())).transpose()?,
            measured: Measurements::parse(delay)?,
        })
    }

    fn run(&self) -> Run<'_> {
        Run {
            status: self.status,
            instance: self.aircraft.as_ref(),
            measurements: Some(&self.measured),
        }
    }
}

/// The flights of two airlines in the order of their scheduled departure.
pub(super) struct Flights {
    stable: Version,
    canary: Version,
    flown: Vec<(Arm, Flown)>,
}

impl Flights {
    /// Takes the flights of which `arm` knows whose they are.
    ///
    /// # Errors
    ///
    /// If a name or a value is none.
    pub(super) fn new<'a>(
        [stable, canary]: [&str; 2],
        flights: impl Iterator<Item = &'a Flight>,
        mut arm: impl FnMut(&Flight) -> Option<Arm>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut flown = Vec::new();
        for flight in flights {
            if let Some(arm) = arm(flight) {
                flown.push((arm, Flown::of(flight)?));
            }
        }
        Ok(Self { stable: Version::parse(stable)?, canary: Version::parse(canary)?, flown })
    }

    /// The stable version's name, then the canary's.
    pub(super) fn names(&self) -> [&str; 2] {
        [self.stable.as_str(), self.canary.as_str()]
    }

    /// Goes through them; the period ends with the last one.
    ///
    /// The shares are those of the data, so that there is one band.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub(super) fn play(
        &self,
        threshold: Threshold,
        policy: Policy,
    ) -> Result<Outcome, Box<dyn Error>> {
        let [Some((_, first)), Some((_, last))] = [self.flown.first(), self.flown.last()] else {
            return Err(format!("no flight of {} or {}", self.stable, self.canary).into());
        };
        // A minute more, so that the last flight is in it.
        let minutes = last.at.since(first.at).as_secs_f64() / 60.0 + 1.0;
        let canary_period = CanaryPeriod::parse(minutes / 1_440.0)?;
        let mut replay = Replay::new(Plan {
            stable: self.stable.clone(),
            canary: self.canary.clone(),
            threshold,
            canary_period,
            band_count: BandCount::parse(1)?,
            begins_at: first.at,
            policy,
        });
        for (arm, flown) in &self.flown {
            replay.observe(*arm, flown.run(), flown.at);
        }
        replay.pass(first.at.after(canary_period.duration()));
        Ok(replay.finish())
    }
}
