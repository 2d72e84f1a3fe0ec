//! A real server whose clock is moved by hand, and the flights that are played on it.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use canary_client::{Client, NewProduct, NewRelease, Release, Signal};
use canary_core::time::Timestamp;
use canary_server::clock::Clock as _;
use uuid::Uuid;

use super::account::Outcome;
use super::data::{self, Flight};
use crate::temporary::TemporaryServer;

/// In how many steps the canary widens.
const BANDS: u16 = 5;
/// How long the server may take to notice that its clock was moved.
const NOTICE: Duration = Duration::from_secs(10);
/// Batches beyond these would only be more, not better.
const MOST_BATCHES_PER_BAND: f64 = 128.0;
const MICROS_PER_DAY: f64 = 86_400e6;

/// Who is compared, and by what measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The airline in the place of the stable version.
    pub stable: String,
    /// The airline in the place of the canary.
    pub canary: String,
    /// Where the flights are: a gzipped CSV file as [`SAMPLE`](super::SAMPLE).
    pub data: PathBuf,
    /// The lowest acceptable success rate in percent, 0 to 100.
    pub threshold: f64,
    /// How long the canary is on trial.
    pub days: f64,
}

impl Story {
    /// The story of two airlines in the sample, by 75 % over 14 days.
    #[must_use]
    pub fn new(stable: &str, canary: &str) -> Self {
        Self {
            stable: stable.to_owned(),
            canary: canary.to_owned(),
            data: PathBuf::from(data::SAMPLE),
            threshold: 75.0,
            days: 14.0,
        }
    }

    /// Each story is a product of its own, and the same story always the same one.
    fn artifact_url(&self) -> String {
        let Self { stable, canary, threshold, days, .. } = self;
        format!("https://flights.example/{stable}/{canary}?threshold={threshold}&days={days}")
    }

    fn signal(&self, flight: &Flight) -> Result<Signal, Box<dyn Error>> {
        let artifact_url = self.artifact_url();
        let Flight { scheduled_at, carrier, aircraft, origin, status, twin, .. } = flight;
        // Made from the flight alone: who plays the story again sends the same signals.
        let name = format!("{artifact_url}#{carrier}/{scheduled_at}/{aircraft}/{origin}/{twin}");
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        let signal = Signal::new(artifact_url, carrier, aircraft, status)
            .id(id.to_string())
            .created_date(rfc3339(*scheduled_at)?)
            .description(format!("from {origin}"));
        Ok(match flight.arrival_delay_min {
            Some(delay) => signal.measurement("arrival_delay_min", delay),
            None => signal,
        })
    }
}

/// A server whose clock follows the flights.
pub struct Stage(TemporaryServer);

impl Stage {
    /// Starts the server on a free port.
    ///
    /// # Errors
    ///
    /// If there is no place for the database, or no port.
    pub fn open() -> Result<Self, Box<dyn Error>> {
        TemporaryServer::start().map(Self)
    }

    /// A client of the server.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.0.client
    }

    /// Sends the flights in the order of time, up to the verdict or the end of the data.
    ///
    /// Played again on the same stage, a story sends the same signals; they count once.
    ///
    /// # Errors
    ///
    /// What the data, the server or the client refuses.
    pub fn play(&self, story: &Story) -> Result<Outcome, Box<dyn Error>> {
        if story.stable == story.canary {
            return Err(format!("`{}` cannot be compared with itself", story.stable).into());
        }
        let flights = data::read(&story.data, [&story.stable, &story.canary])?;
        let first = flights.first().ok_or("no flights")?.scheduled_at;
        self.0.clock.set(Timestamp::from_seconds(first));
        let id = self.register(story, first)?;
        let mut canary = self.client().release(&id)?;
        let mut turns = turns(&canary)?.into_iter().peekable();

        let (mut sent, mut duplicates) = (0, 0);
        let batch_of = |flight: &Flight| batch_number(flight.scheduled_at - first, story.days);
        for batch in flights.chunk_by(|left, right| batch_of(left) == batch_of(right)) {
            // No chunk is empty.
            let now = Timestamp::from_seconds(batch.last().map_or(first, |last| last.scheduled_at));
            while let Some(turn) = turns.next_if(|turn| *turn <= now) {
                self.0.clock.set(turn);
                canary = self.wait_for_decision(&id, turn)?;
            }
            if has_verdict(&canary, self.0.clock.now())? {
                break;
            }
            self.0.clock.set(now);
            let signals: Result<Vec<_>, _> = batch.iter().map(|one| story.signal(one)).collect();
            let outcome = self.client().send_signals(signals?)?;
            if let Some(rejected) = outcome.rejected.first() {
                return Err(format!("a flight was rejected: {}", rejected.detail).into());
            }
            sent += outcome.accepted + outcome.duplicates;
            duplicates += outcome.duplicates;
            canary = self.client().release(&id)?;
            if has_verdict(&canary, now)? {
                break;
            }
        }
        let decisions = self.client().decisions(&id)?;
        Ok(Outcome { story: story.clone(), release: canary, decisions, sent, duplicates })
    }

    /// Waits until the server has decided what follows from its clock having reached `turn`.
    fn wait_for_decision(&self, id: &str, turn: Timestamp) -> Result<Release, Box<dyn Error>> {
        let started = Instant::now();
        while started.elapsed() < NOTICE {
            // The decisions first: what they tell of is then in the release.
            let last = self.client().decisions(id)?.pop();
            let canary = self.client().release(id)?;
            let decided = last.map(|decision| timestamp(&decision.at)).transpose()?;
            if !canary.is_open() || decided.is_some_and(|at| at >= turn) {
                return Ok(canary);
            }
        }
        Err(format!("the server did not notice its clock within {} s", NOTICE.as_secs()).into())
    }

    /// Registers the two airlines, or finds them registered; the id of the canary.
    fn register(&self, story: &Story, first: i64) -> Result<String, Box<dyn Error>> {
        let Story { stable, canary, threshold, days, .. } = story;
        let url = story.artifact_url();
        let name = format!("{stable} and {canary} at {threshold} % over {days} days");
        let source = "https://github.com/tidyverse/nycflights13";
        unless_taken(self.client().create_product(&NewProduct::new(name, source, &url)))?;
        let begin = rfc3339(first)?;
        let stable = NewRelease::new(&url, stable).is_canary(false).release_date(&begin);
        unless_taken(self.client().create_release(&stable))?;
        let on_trial = NewRelease::new(&url, canary)
            .threshold(*threshold)
            .canary_period(*days)
            .band_count(BANDS)
            .release_date(&begin);
        if let Some(id) = unless_taken(self.client().create_release(&on_trial))? {
            return Ok(id);
        }
        for release in self.client().releases(&url) {
            let release = release?;
            if release.semver_version == *canary {
                return Ok(release.id);
            }
        }
        Err(format!("`{canary}` cannot be registered, and is not").into())
    }

    /// Stops the server and forgets what it stored.
    ///
    /// # Errors
    ///
    /// If the server does not stop as it should.
    pub fn close(self) -> Result<(), Box<dyn Error>> {
        self.0.stop()
    }
}

/// What was created; nothing if it exists already.
fn unless_taken<T>(created: canary_client::Result<T>) -> canary_client::Result<Option<T>> {
    match created {
        Ok(created) => Ok(Some(created)),
        Err(canary_client::Error::Conflict { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// When time alone changes something: each band after the first begins, and the period ends.
fn turns(canary: &Release) -> Result<Vec<Timestamp>, Box<dyn Error>> {
    let begins = canary.bands.iter().skip(1).filter_map(|band| band.starts_at.as_deref());
    let mut turns = begins.map(timestamp).collect::<Result<Vec<_>, _>>()?;
    let period = Duration::from_secs_f64(canary.canary_period * 86_400.0);
    turns.push(timestamp(&canary.release_date)?.after(period));
    Ok(turns)
}

/// Whether there is a verdict by now; in a story that is played again, it may lie ahead.
fn has_verdict(canary: &Release, now: Timestamp) -> Result<bool, jiff::Error> {
    let verdict = canary.verdict.as_ref().map(|verdict| timestamp(&verdict.at)).transpose()?;
    Ok(verdict.is_some_and(|at| at <= now))
}

/// The batch of a flight, by the seconds since the first one.
///
/// A batch is about an hour long, or a part of a long band, and a band is a whole number of
/// batches: each flight counts in the band that it departed in.
fn batch_number(elapsed_s: i64, days: f64) -> i128 {
    let bands = f64::from(BANDS);
    let batches = bands * (days * 24.0 / bands).ceil().clamp(1.0, MOST_BATCHES_PER_BAND);
    // A period below one microsecond is the server's to refuse.
    let period_micros = ((days * MICROS_PER_DAY) as i128).max(1);
    i128::from(elapsed_s) * 1_000_000 * (batches as i128) / period_micros
}

fn timestamp(rfc3339: &str) -> Result<Timestamp, jiff::Error> {
    Ok(Timestamp::from_micros(rfc3339.parse::<jiff::Timestamp>()?.as_microsecond()))
}

fn rfc3339(seconds: i64) -> Result<String, jiff::Error> {
    Ok(jiff::Timestamp::from_second(seconds)?.to_string())
}
