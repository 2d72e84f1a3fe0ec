//! What the rules have found is the same to the bit whether a server lives through, is killed and
//! started again, or takes its signals in batches.

use canary_tests::{Http, NDJSON, Product, ServerProcess, SharedDatabase, TestServer, lines};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// How many signals are sent.
const SIGNALS: usize = 330;

/// A policy under which every rule looks, and none ends the canary.
fn watchful() -> Value {
    json!({
        "alpha": 1e-8,
        "rho0": 1.3,
        "q": 0.05,
        "at_end": "hold",
        "beta": 1e-9,
        "measurements": {"ms": "high_is_bad", "rows": "low_is_bad"},
    })
}

/// The stable release 0.0.1 and the canary 0.0.2 under that policy, and the canary's identifier.
fn with_canary(http: &Http) -> (Product, String) {
    let product = Product::register(http, "etl");
    product.release("0.0.1").with("is_canary", false).create();
    let canary = product.release("0.0.2").with("policy", watchful());
    (product, canary.create())
}

/// The same signals in the same order each time: failures of both versions, runs that say nothing,
/// seven instances that run again and again, and measurements of most runs.
fn signals(product: &Product) -> Vec<Value> {
    let signal = |number: usize| {
        let version = if number * 13 % 31 < 9 { "0.0.2" } else { "0.0.1" };
        let status = match number * 37 % 101 {
            0..12 => "failed",
            50..55 => "skipped",
            _ => "success",
        };
        let instance = format!("host-{}", number * 17 % 23 % 7);
        let signal = product.signal(version, status).with("instance_id", instance);
        let measured = match number % 5 {
            3 => json!({"ms": number * 7 % 90}),
            _ => json!({"ms": number * 7 % 90, "rows": number as f64 * 1.37 % 50.0}),
        };
        signal.with("measurements", measured).body()
    };
    (0..SIGNALS).map(signal).collect()
}

/// All that the rules have found, as the exact text of the answer.
fn found(http: &Http, canary: &str) -> Value {
    let findings = http.analysis(canary)["findings"].clone();
    let logs = &findings["baseline"]["logs"];
    assert!(logs.as_array().is_some_and(|logs| logs.iter().all(|log| *log != 0.0)), "{logs}");
    findings
}

fn send_one_by_one(http: &Http, signals: &[Value]) {
    for signal in signals {
        http.post("/signal", signal).expect(201);
    }
}

/// What a server has found that takes the signals one by one and is never ended.
fn by_one_that_lives() -> Value {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server);
    send_one_by_one(&server, &signals(&product));
    found(&server, &canary)
}

#[test]
fn a_server_that_is_killed_again_and_again_finds_what_one_that_lives_finds() {
    let database = SharedDatabase::new();
    let mut server = ServerProcess::start(PROGRAM, &database);
    let (product, canary) = with_canary(&server);
    let signals = signals(&product);
    // In the middle of blocks, and while limits are learned.
    for part in signals.chunks(83) {
        send_one_by_one(&server, part);
        let before = server.analysis(&canary)["findings"].clone();
        server.kill();
        server.wait();
        server = ServerProcess::start(PROGRAM, &database);
        assert_eq!(server.analysis(&canary)["findings"], before, "what was acknowledged is kept");
    }
    assert_eq!(server.signals(&canary)["total"].as_u64(), Some(96));
    assert_eq!(found(&server, &canary), by_one_that_lives());
}

#[test]
fn signals_that_come_in_batches_are_judged_as_those_that_come_one_by_one() {
    let wanted = by_one_that_lives();
    for size in [1, 7, 100, SIGNALS] {
        let server = TestServer::start();
        let (product, canary) = with_canary(&server);
        for (number, part) in signals(&product).chunks(size).enumerate() {
            if number % 2 == 0 {
                server.post("/signal/batch", &json!(part)).expect(200);
            } else {
                server.post_bytes("/signal/batch", &[NDJSON], lines(part).as_bytes()).expect(200);
            }
            if number % 20 == 11 {
                server.restart();
            }
        }
        assert_eq!(found(&server, &canary), wanted, "{size} at a time");
    }
}

#[test]
fn a_verdict_falls_at_the_same_run_however_the_runs_come() {
    let verdict = |size: usize| {
        let server = TestServer::start();
        let (product, canary) = server.product_with_canary();
        let failing = signals(&product).into_iter().enumerate().map(|(number, mut signal)| {
            // One in six of the canary's runs fails, of instances that run once.
            let is_canary = signal["semver_version"] == "0.0.2";
            signal["status"] =
                json!(if is_canary && number % 6 == 5 { "failed" } else { "success" });
            signal["instance_id"] = json!(format!("host-{number}"));
            signal
        });
        let failing: Vec<Value> = failing.cycle().take(3 * SIGNALS).collect();
        for part in failing.chunks(size) {
            server.post("/signal/batch", &json!(part)).expect(200);
        }
        server.decided(&canary, "rollback")
    };
    let wanted = verdict(1_000);
    assert_eq!(wanted["rule"], "baseline");
    for size in [13, 97] {
        assert_eq!(verdict(size), wanted, "{size} at a time");
    }
}
