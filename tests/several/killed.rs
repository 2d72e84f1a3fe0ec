//! Servers that are killed under load, while their PostgreSQL starts again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use canary_tests::{Cluster, Ending, Http, Product, SharedDatabase, eventually};
use serde_json::Value;
use uuid::Uuid;

use super::load::{Place, Sender, check, until_all_know};

/// How often a server is killed, at random.
const KILL_EVERY: Duration = Duration::from_secs(2);

const SENDERS: usize = 6;

const SECONDS_OF_A_DAY: f64 = 86_400.0;

#[test]
fn nothing_is_lost_or_counted_twice_while_servers_are_killed_and_postgres_restarts() {
    run(Duration::from_secs(8), Ending::Fast);
}

#[test]
#[ignore = "takes more than a minute: the short form above runs every time"]
fn nothing_is_lost_or_counted_twice_in_a_minute_of_kills() {
    run(Duration::from_secs(60), Ending::Immediate);
}

/// Three servers under load for a while, one of them killed every two seconds, and PostgreSQL ended
/// and started once in the middle. The period of the canary ends within that time.
fn run(load: Duration, ending: Ending) {
    let cluster = Arc::new(Cluster::new());
    cluster.start();
    let database = SharedDatabase::in_cluster(&cluster);
    let places = [0, 1, 2].map(|_| Place::taken(&database));
    let http = Http::to(places[0].url());
    let product = Product::register(&http, "etl");
    let stable = product.release("1").with("is_canary", false).create();
    let period = load.as_secs_f64() * 0.8 / SECONDS_OF_A_DAY;
    let canary = product.release("2").with("canary_period", period).with("band_count", 4).create();
    let signal = product.signal("1", "success").body();
    until_all_know(&places);
    let is_over = AtomicBool::new(false);
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let sender = |turn| Sender { places: &places, turn, signal: &signal, is_over: &is_over };
        let senders: Vec<_> =
            (0..SENDERS).map(|turn| scope.spawn(move || sender(turn).run())).collect();
        let began = Instant::now();
        let mut has_restarted = false;
        while began.elapsed() < load {
            std::thread::sleep(KILL_EVERY);
            places[usize::from(Uuid::new_v4().as_bytes()[0]) % 3].replace(&database);
            if !has_restarted && began.elapsed() >= load / 2 {
                cluster.stop(ending);
                cluster.start();
                has_restarted = true;
            }
        }
        assert!(has_restarted);
        is_over.store(true, Ordering::Relaxed);
        senders.into_iter().flat_map(|sender| sender.join().expect("a sender")).collect()
    });
    assert!(acknowledged.len() > 100, "{} signals are no load", acknowledged.len());
    let http = Http::to(places[0].url());
    eventually("a server that is ready", || {
        (http.get("/health/ready").status == 200).then_some(())
    });
    let counted = check(&acknowledged, &database, &http, &[&stable, &canary]);
    println!("{counted} signals were acknowledged, stored and counted");
    check_decisions(&http, &canary);
    check_shares(&http.release(&canary));
}

/// The period is over: one promotion, and no other verdict.
fn check_decisions(http: &Http, canary: &str) {
    let promoted = eventually("the promotion", || {
        let release = http.release(canary);
        (release["state"] == "stable" || release["state"] == "promoted").then_some(release)
    });
    let decisions = http.decisions(canary);
    let of = |action: &str| decisions.iter().filter(|told| told["action"] == action).count();
    assert_eq!((of("promote"), of("rollback")), (1, 0), "{decisions:?}");
    assert_eq!(of("advance"), 3, "each band begins once: {decisions:?}");
    assert!(!promoted["verdict"].is_null(), "{promoted}");
}

/// In each band the canary had its part of the runs, within two percentage points.
fn check_shares(canary: &Value) {
    for band in canary["bands"].as_array().expect("bands") {
        let runs = |arm: &str| band[arm]["success"].as_f64().expect("a count");
        let (canary, all) = (runs("canary"), runs("canary") + runs("stable"));
        println!("band {}: {canary} of {all} runs, share {}", band["number"], band["share"]);
        // What each sender has under way when a band begins is asked for in one band and counted in
        // the next.
        let allowed = (0.02 * all).max(SENDERS as f64);
        let share = band["share"].as_f64().expect("a share");
        assert!((canary - share * all).abs() <= allowed, "{band}");
    }
}
