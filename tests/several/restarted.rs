//! A PostgreSQL that starts again under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use canary_tests::{Cluster, Ending, Http, Product, SharedDatabase};
use serde_json::json;

use super::load::{Place, Sender, check, until_all_know};

const SENDERS: usize = 6;

/// How long there is load before, and after.
const LOAD: Duration = Duration::from_secs(1);

#[test]
fn a_restart_of_postgres_loses_nothing() {
    restart(Ending::Fast, 2);
}

#[test]
fn a_postgres_that_is_killed_loses_nothing() {
    restart(Ending::Immediate, 3);
}

/// Products that are registered one after another, each answered with 201: if the answer to a commit
/// is lost, it is asked for, and not tried again.
fn register(http: &Http, is_over: &AtomicBool) -> usize {
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        let name = format!("product {number}");
        http.post("/product", &Product::body(&name)).expect(201);
        number += 1;
    }
    number
}

fn restart(ending: Ending, times: usize) {
    let cluster = Arc::new(Cluster::new());
    cluster.start();
    let database = SharedDatabase::in_cluster(&cluster);
    let places = [0, 1].map(|_| Place::taken(&database));
    let http = Http::to(places[0].url());
    let product = Product::register(&http, "etl");
    let stable = product.release("1").with("is_canary", json!(false)).create();
    let signal = product.signal("1", "success").body();
    until_all_know(&places);
    let is_over = AtomicBool::new(false);
    let (acknowledged, registered) = std::thread::scope(|scope| {
        let sender = |turn| Sender { places: &places, turn, signal: &signal, is_over: &is_over };
        let senders: Vec<_> =
            (0..SENDERS).map(|turn| scope.spawn(move || sender(turn).run())).collect();
        let registering = scope.spawn(|| register(&http, &is_over));
        for _ in 0..times {
            std::thread::sleep(LOAD);
            cluster.stop(ending);
            cluster.start();
        }
        std::thread::sleep(LOAD);
        is_over.store(true, Ordering::Relaxed);
        let sent = senders.into_iter().flat_map(|sender| sender.join().expect("a sender"));
        (sent.collect::<Vec<_>>(), registering.join().expect("one who registers"))
    });
    assert!(acknowledged.len() > 50, "{} signals are no load", acknowledged.len());
    check(&acknowledged, &database, &http, &[&stable]);
    assert!(registered > 5, "{registered} products are no load");
    let began = Instant::now();
    http.post("/product", &Product::body("the last one")).expect(201);
    assert!(began.elapsed() < Duration::from_secs(5), "all is well again");
}
