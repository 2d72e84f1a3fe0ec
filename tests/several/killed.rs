//! Servers that are killed under load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use canary_tests::{Http, JSON, Product, ServerProcess, SharedDatabase, eventually};
use serde_json::Value;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// How long the servers are under load, and how often one of them is killed.
const LOAD: Duration = Duration::from_secs(8);
const KILL_EVERY: Duration = Duration::from_secs(2);

/// One place where a server runs; another takes the place of one that was killed.
struct Place(Mutex<Option<ServerProcess>>);

impl Place {
    fn url(&self) -> Option<String> {
        let server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().map(|server| server.url())
    }

    fn replace(&self, database: &SharedDatabase) {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = server.take() {
            running.kill();
        }
        *server = Some(ServerProcess::start(PROGRAM, database));
    }
}

/// Sends runs of the stable version until the load is over; what was acknowledged.
fn send(places: &[Place; 3], first: usize, product: &Value, is_over: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut turn = first;
    while !is_over.load(Ordering::Relaxed) {
        let id = Uuid::new_v4().to_string();
        let mut signal = product.clone();
        signal["id"] = id.clone().into();
        // Until somebody acknowledges it: a server that ended leaves its callers in the dark.
        while !is_over.load(Ordering::Relaxed) {
            turn += 1;
            let Some(url) = places[turn % 3].url() else { continue };
            let body = signal.to_string();
            let answer = Http::to(url).send("POST", "/signal", &[JSON], Some(body.as_bytes()));
            if answer.is_ok_and(|answer| answer.status == 201) {
                acknowledged.push(id);
                break;
            }
        }
    }
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_or_counted_twice_while_servers_are_killed() {
    let database = SharedDatabase::new();
    let places = [0, 1, 2].map(|_| Place(Mutex::new(None)));
    places.iter().for_each(|place| place.replace(&database));
    let url = places[0].url().expect("a server");
    let http = Http::to(url);
    let product = Product::register(&http, "etl");
    let release = product.release("1").with("is_canary", false).create();
    let signal = product.signal("1", "success").body();
    let is_over = AtomicBool::new(false);
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..6)
            .map(|first| {
                let (places, signal, is_over) = (&places, &signal, &is_over);
                scope.spawn(move || send(places, first, signal, is_over))
            })
            .collect();
        let began = Instant::now();
        let mut next = 0;
        while began.elapsed() < LOAD {
            std::thread::sleep(KILL_EVERY);
            places[next % 3].replace(&database);
            next += 1;
        }
        is_over.store(true, Ordering::Relaxed);
        senders.into_iter().flat_map(|sender| sender.join().expect("a sender")).collect()
    });
    assert!(acknowledged.len() > 100, "{} signals are no load", acknowledged.len());
    let http = Http::to(places[0].url().expect("a server"));
    let counted = |http: &Http| http.signals(&release)["total"].as_u64().expect("a count");
    // Those in flight at the end may have been counted, but none of them twice.
    let total = eventually("a count", || Some(counted(&http)));
    assert!(
        (acknowledged.len() as u64..=acknowledged.len() as u64 + 6).contains(&total),
        "{total} counted, {} acknowledged",
        acknowledged.len()
    );
    for id in acknowledged.iter().step_by(50) {
        let mut again = signal.clone();
        again["id"] = id.as_str().into();
        http.post("/signal", &again).expect(201);
    }
    assert_eq!(counted(&http), total, "what is sent again is not counted again");
}
