//! Load on several servers, of which any may end at any moment.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use canary_tests::{Answer, Http, JSON, ServerProcess, SharedDatabase, eventually};
use serde_json::Value;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// One place where a server runs; another takes the place of one that was killed.
pub(crate) struct Place(Mutex<Option<ServerProcess>>);

impl Place {
    /// A place with a server.
    pub(crate) fn taken(database: &SharedDatabase) -> Self {
        let place = Self(Mutex::default());
        place.replace(database);
        place
    }

    pub(crate) fn url(&self) -> String {
        let server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().expect("a server in each place").url()
    }

    /// Kills the server, and starts another.
    pub(crate) fn replace(&self, database: &SharedDatabase) {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = server.take() {
            running.kill();
        }
        *server = Some(ServerProcess::start(PROGRAM, database));
    }
}

/// Waits until every server knows what there is to run.
pub(crate) fn until_all_know(places: &[Place]) {
    for place in places {
        eventually("the product on every server", || {
            let latest = Http::to(place.url()).get("/release/etl/latest");
            (latest.status == 200).then_some(())
        });
    }
}

/// One who runs what it is told to run, and reports.
pub(crate) struct Sender<'a> {
    pub(crate) places: &'a [Place],
    /// Where it asks next.
    pub(crate) turn: usize,
    /// A signal of a run with success, but for its version and its identifier.
    pub(crate) signal: &'a Value,
    pub(crate) is_over: &'a AtomicBool,
}

impl Sender<'_> {
    /// Asks what to run, runs it and reports, until the load is over; the signals that were
    /// acknowledged, which are all that it has sent.
    pub(crate) fn run(mut self) -> Vec<String> {
        let mut acknowledged = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let latest = self.insist("GET", "/release/etl/latest", None, 200);
            let id = Uuid::new_v4().to_string();
            let mut signal = self.signal.clone();
            signal["semver_version"] = latest["semver_version"].clone();
            signal["id"] = id.as_str().into();
            let told = self.insist("POST", "/signal", Some(&signal), 201);
            assert_eq!(told["id"], id);
            acknowledged.push(id);
        }
        acknowledged
    }

    /// Sends until somebody answers as wanted: a server that ended leaves its callers in the dark.
    fn insist(&mut self, method: &str, path: &str, body: Option<&Value>, wanted: u16) -> Value {
        let body = body.map(ToString::to_string);
        loop {
            self.turn += 1;
            let url = self.places[self.turn % self.places.len()].url();
            let answer =
                Http::to(url).send(method, path, &[JSON], body.as_deref().map(str::as_bytes));
            match answer {
                Ok(answer) if answer.status == wanted => return answer.json(),
                Ok(answer) => check_may_be_tried_again(&answer),
                // The server has ended, before or in the middle of its answer.
                Err(_) => {}
            }
        }
    }
}

/// Nothing else than "try again" is ever answered to those who do nothing wrong.
fn check_may_be_tried_again(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
}

/// Checks that everything that was acknowledged is stored, once, and all that is stored is counted,
/// once; how many signals those are.
pub(crate) fn check(
    acknowledged: &[String],
    database: &SharedDatabase,
    http: &Http,
    releases: &[&str],
) -> u64 {
    let stored = database.signals();
    let distinct: HashSet<&String> = stored.iter().collect();
    assert_eq!(distinct.len(), stored.len(), "a signal is stored twice");
    let lost = acknowledged.iter().filter(|id| !distinct.contains(id)).count();
    assert_eq!(lost, 0, "of {} acknowledged signals some are lost", acknowledged.len());
    assert_eq!(stored.len(), acknowledged.len(), "each was sent until it was acknowledged");
    let counted = |release: &&str| http.signals(release)["total"].as_u64().expect("a count");
    let counted: u64 = releases.iter().map(counted).sum();
    assert_eq!(counted, stored.len() as u64, "what is counted is what is stored");
    counted
}
