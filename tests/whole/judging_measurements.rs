//! Measurements of signals, compared with those of the stable version.

use canary_tests::{
    Block, NewSignal, Product, Runs, TestServer, blocks, check_test, is_near, mixture, numbers,
};
use serde_json::{Value, json};

/// The value below which a part of some values lies, between the two nearest of them.
fn quantile(values: &[f64], rank: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = rank * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// A run that succeeded and measured a latency, if it did.
fn measured(product: &Product, version: &str, value: Option<f64>) -> NewSignal {
    let run = product.run(version, "success");
    match value {
        Some(value) => run.with("measurements", json!({"latency_ms": value})),
        None => run,
    }
}

/// Values that look random, from 0 to 199.
fn value(run: usize) -> f64 {
    (run * 77 % 200) as f64
}

/// A product whose stable release 0.0.1 has run so often.
fn with_stable(server: &TestServer, name: &str, runs: usize) -> Product {
    let product = server.product(name);
    product.release("0.0.1").with("is_canary", false).create();
    let all = (0..runs)
        .fold(product.runs(), |all, run| all.and(&measured(&product, "0.0.1", Some(value(run)))));
    if runs > 0 {
        all.send();
    }
    // What is measured before a canary comes, and what beside it, are told apart by the time.
    server.pass_days(0.001);
    product
}

fn canary_of(product: &Product, direction: &str) -> String {
    let policy = json!({"measurements": {"latency_ms": direction}});
    product.release("0.0.2").with("policy", policy).create()
}

/// Runs of both versions, one in five of them the canary's, which measures so.
fn beside(product: &Product, runs: usize, canary: impl Fn(usize) -> Option<f64>) -> Runs {
    (0..runs).fold(product.runs(), |all, run| {
        all.and(&match run % 5 {
            2 => measured(product, "0.0.2", canary(run / 5)),
            _ => measured(product, "0.0.1", Some(value(run))),
        })
    })
}

fn finding(shown: &Value) -> &Value {
    assert_eq!(shown["findings"]["measurements"].as_array().map(Vec::len), Some(1), "{shown}");
    &shown["findings"]["measurements"][0]
}

/// `E` of a measurement, as its description says.
fn evidence_of(found: &Value) -> f64 {
    let logs = found["logs"].as_array().expect("logs");
    let each = |index: usize| mixture(&found["weights"], &logs[index]);
    0.3 * (each(0) + each(1) + each(2)) + 0.1 * each(3)
}

/// What a canary measures in each of its runs.
type Measures = fn(usize) -> Option<f64>;

/// A canary whose latency is judged so, and what the sentence says if that ends it.
struct Case {
    name: &'static str,
    direction: &'static str,
    canary: Measures,
    told: Option<&'static str>,
}

fn cases() -> [Case; 5] {
    let case = |name, direction, canary: Measures, told| Case { name, direction, canary, told };
    let (high, low) = ("high_is_bad", "low_is_bad");
    let higher: Measures = |run| Some(150.0 + value(run));
    [
        case("higher", high, higher, Some("latency_ms was above")),
        case("higher is good", low, higher, None),
        case("lower", low, |run| Some(value(run) - 150.0), Some("latency_ms was below")),
        case("the same", high, |run| Some(value(run * 3)), None),
        case("missing", high, |_| None, Some("latency_ms was missing in")),
    ]
}

/// Checks the limits against the values that they are to be taken from.
#[track_caller]
fn check_limits(found: &Value, values: &[f64]) {
    let ranks = match found["direction"].as_str() {
        Some("high_is_bad") => [0.5, 0.9, 0.99],
        _ => [0.5, 0.1, 0.01],
    };
    let limits = numbers(&found["limits"]);
    assert_eq!(limits.len(), 3, "{found}");
    for (limit, rank) in limits.into_iter().zip(ranks) {
        assert!(is_near(limit, quantile(values, rank)), "{limit} at {rank} in {found}");
    }
}

#[test]
fn a_canary_that_measures_worse_is_rolled_back_by_limits_of_before_it_came() {
    let server = TestServer::start();
    let before: Vec<f64> = (0..400).map(value).collect();
    for Case { name, direction, canary, told } in cases() {
        let product = with_stable(&server, name, before.len());
        let release = canary_of(&product, direction);
        beside(&product, 1_000, canary).send();
        let (shown, analysis) = (server.release(&release), server.analysis(&release));
        let found = finding(&analysis);
        check_limits(found, &before);
        let is_crossed = check_test(&found["test"], evidence_of(found), 0.02);
        assert_eq!(is_crossed, told.is_some(), "{name}: {found}");
        let state = if is_crossed { "rolled_back" } else { "running" };
        assert_eq!(shown["state"], state, "{name}");
        if let Some(told) = told {
            let verdict = &shown["verdict"];
            assert_eq!(verdict["rule"], "measurement", "{name}");
            assert_eq!(&verdict["evidence"]["findings"], &analysis["findings"], "{name}");
            let sentence = verdict["sentence"].as_str().unwrap();
            assert!(sentence.contains(told), "{sentence}");
        }
    }
}

/// A run: whether it was the canary's, and what it measured.
type Measured = (bool, Option<f64>);

/// Two hundred runs, and what was found of them; the canary leaves a value out now and then.
fn two_hundred_runs(server: &TestServer) -> (Vec<Measured>, Value) {
    let product = with_stable(server, "etl", 400);
    let release = canary_of(&product, "high_is_bad");
    let canary = |run: usize| (run % 20 != 7).then(|| value(3 * run));
    beside(&product, 200, canary).send();
    let run = |run: usize| match run % 5 {
        2 => (true, canary(run / 5)),
        _ => (false, Some(value(run))),
    };
    ((0..200).map(run).collect(), finding(&server.analysis(&release)).clone())
}

#[test]
fn what_is_counted_of_a_measurement_is_what_was_measured() {
    let server = TestServer::start();
    let (runs, found) = two_hundred_runs(&server);
    let limits = numbers(&found["limits"]);
    for (arm, is_canary) in [("canary", true), ("stable", false)] {
        let of_arm: Vec<Option<f64>> =
            runs.iter().filter(|run| run.0 == is_canary).map(|run| run.1).collect();
        let present: Vec<f64> = of_arm.iter().copied().flatten().collect();
        let beyond = |limit: &f64| present.iter().filter(|value| *value > limit).count();
        let wanted = json!({
            "present": present.len(),
            "missing": of_arm.len() - present.len(),
            "beyond": limits.iter().map(beyond).collect::<Vec<_>>(),
        });
        assert_eq!(found[arm], wanted, "{arm}");
    }
    assert_eq!(found["canary"]["missing"], 2);
}

#[test]
fn the_evidence_of_a_measurement_follows_from_the_runs_block_by_block() {
    let server = TestServer::start();
    let (runs, found) = two_hundred_runs(&server);
    let check = |index: usize, blocks: &[Block]| {
        for (odds, shown) in numbers(&found["odds"]).iter().zip(numbers(&found["logs"][index])) {
            let log: f64 = blocks.iter().map(|block| block.log(*odds)).sum();
            assert!(is_near(log, shown), "{log} for {odds} in {found}");
        }
    };
    // That a value is missing goes through the blocks of the runs, a limit through the values that
    // are there in each of them.
    let missing: Vec<(bool, bool)> = runs.iter().map(|run| (run.0, run.1.is_none())).collect();
    check(3, &blocks(&missing));
    for (index, limit) in numbers(&found["limits"]).into_iter().enumerate() {
        let beyond = |run: &Measured| run.1.map(|value| (run.0, value > limit));
        let of_ten = |ten: &[Measured]| Block::of(ten.iter().filter_map(beyond));
        check(index, &runs.chunks(10).map(of_ten).collect::<Vec<Block>>());
    }
}

#[test]
fn limits_are_learned_from_a_hundred_runs_of_the_stable_version_where_there_were_none() {
    let server = TestServer::start();
    let product = with_stable(&server, "etl", 99);
    let release = canary_of(&product, "high_is_bad");
    let slow = |_| Some(500.0);
    beside(&product, 120, slow).send();
    let analysis = server.analysis(&release);
    let found = finding(&analysis);
    assert_eq!(found["learned_from"], 96, "those of before are too few and count no more");
    for unknown in ["limits", "canary", "stable", "logs", "test"] {
        assert_eq!(found[unknown], Value::Null, "{unknown} in {found}");
    }
    server.restart();
    assert_eq!(server.analysis(&release)["findings"], analysis["findings"]);

    beside(&product, 5, slow).send();
    let analysis = server.analysis(&release);
    let found = finding(&analysis);
    let of_stable = (0..120).filter(|run| run % 5 != 2).chain([0, 1, 3, 4]).map(value);
    let learned: Vec<f64> = of_stable.collect();
    assert_eq!((learned.len(), &found["learned_from"]), (100, &json!(100)));
    check_limits(found, &learned);
    beside(&product, 300, slow).send();
    let verdict = server.decided(&release, "rollback");
    assert_eq!(verdict["rule"], "measurement");
    let found = finding(&verdict["evidence"]);
    assert!(check_test(&found["test"], evidence_of(found), 0.02));
}

#[test]
fn runs_that_say_nothing_about_a_version_say_nothing_about_its_limits_either() {
    let server = TestServer::start();
    let product = with_stable(&server, "etl", 200);
    let skipped = product.run("0.0.1", "skipped").with("measurements", json!({"latency_ms": 0}));
    (0..500).fold(product.runs(), |all, _| all.and(&skipped)).send();
    server.pass_days(0.001);
    let release = canary_of(&product, "high_is_bad");
    let before: Vec<f64> = (0..200).map(value).collect();
    let analysis = server.analysis(&release);
    check_limits(finding(&analysis), &before);
}

#[test]
fn several_measurements_share_the_chance_of_a_false_alarm() {
    let server = TestServer::start();
    let product = with_stable(&server, "etl", 200);
    let policy = json!({
        "measurements": {"latency_ms": "high_is_bad", "rows": "low_is_bad"},
        "readings": {"temperature": "high_is_bad", "humidity": "high_is_bad"},
        "alpha_measurements": 0.012,
    });
    let release = product.release("0.0.2").with("policy", policy).create();
    let findings = &server.analysis(&release)["findings"];
    let all = findings["measurements"].as_array().expect("findings").iter();
    let names: Vec<String> = all.map(|of| format!("{} {}", of["source"], of["name"])).collect();
    assert_eq!(
        names.join(", ").replace('"', ""),
        "signals latency_ms, signals rows, readings humidity, readings temperature"
    );
    let alpha = findings["measurements"][0]["test"]["alpha"].as_f64().unwrap();
    assert!(is_near(alpha, 0.003), "{alpha}");
    let baseline = findings["baseline"]["test"]["alpha"].as_f64().unwrap();
    assert!(is_near(baseline, 0.05 - 0.01 - 0.012), "{baseline}");
}
