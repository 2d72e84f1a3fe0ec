//! Who gets which version, and what the judge sees.

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

use crate::program::canary;
use crate::runs::{given, report};

#[test]
fn an_instance_is_told_what_the_server_gives_it_in_every_band() {
    let server = TestServer::start();
    let (product, id) = server.product_with_canary();
    let instances: Vec<String> = (0..6).map(|number| format!("worker-{number}")).collect();
    let check = || {
        for instance in &instances {
            let line = format!("release explain {id} --instance-id {instance} --output json");
            let told = canary(&server, &line).json();
            let given = given(&server, &product, instance);
            assert_eq!(told["instance"]["semver_version"], given, "{told}");
        }
    };
    check();
    server.pass_days(0.5);
    check();
    server.act(&id, "pause").expect(200);
    check();
    server.act(&id, "resume").expect(200);
    server.pass_days(0.5);
    check();
    server.act(&id, "rollback").expect(200);
    check();
}

/// What the server gave to an instance at a time.
type Seen = (String, String, Value);

/// Asks for instances every six hours from 2023-01-01T10:30:00Z on, so many times.
fn look(server: &TestServer, product: &Product, times: &[&str], seen: &mut Vec<Seen>) {
    for time in times {
        for number in 0..24 {
            let instance = format!("worker-{number}");
            let given = given(server, product, &instance);
            seen.push((format!("2023-01-{time}:30:00Z"), instance, given));
        }
        server.pass_days(0.25);
    }
}

#[test]
fn the_past_is_explained_as_it_was_given() {
    let server = TestServer::start();
    let (product, id) = server.product_with_canary();
    let mut seen = Vec::new();
    look(&server, &product, &["01T10", "01T16"], &mut seen);
    server.act(&id, "pause").expect(200);
    look(&server, &product, &["01T22", "02T04"], &mut seen);
    server.act(&id, "resume").expect(200);
    look(&server, &product, &["02T10", "02T16"], &mut seen);
    server.act(&id, "rollback").expect(200);
    // Of the time after it, the newer canary is told of.
    let newer = product.release("0.0.3").with("canary_period", json!(0.5)).create();
    look(&server, &product, &["02T22", "03T04"], &mut seen);
    server.act(&newer, "rollback").expect(200);
    for version in ["0.0.1", "0.0.2", "0.0.3"] {
        assert!(seen.iter().any(|(.., given)| given == version), "{version}");
    }
    for (time, instance, given) in seen {
        let line =
            format!("release explain {id} --instance-id {instance} --at {time} --output json");
        let told = canary(&server, &line).json();
        assert_eq!(told["instance"]["semver_version"], given, "{told}");
        assert_eq!(told["analysis"], Value::Null);
    }
}

#[test]
fn the_past_is_told_of_in_words() {
    let server = TestServer::start();
    let (_, id) = server.product_with_canary();
    let at = |time: &str| canary(&server, &format!("release explain {id} --at {time}"));
    server.pass_days(0.5);
    server.act(&id, "pause").expect(200);
    server.pass_days(0.5);
    server.act(&id, "resume").expect(200);
    server.act(&id, "rollback").expect(200);
    server.pass_days(0.5);

    let told = at("2023-01-01T23:00:00Z");
    let want = "At 2023-01-01T23:00:00Z 0.0.2 of etl was a paused canary in band 2 of 5:\neverybody \
        got 0.0.1 as long as it was paused.\n";
    assert!(told.fine().starts_with(want), "{}", told.text);
    assert!(told.text.contains("\n2023-01-01T22:30:00Z  paused 0.0.2: by"), "{}", told.text);
    let told = at("2023-01-01T10:29:59Z");
    assert!(told.fine().contains("was not registered yet, that was at\n2023-01-01T10:30:00Z: "));
    let told = at("2023-01-02T22:30:00Z");
    assert!(told.fine().contains("0.0.2 of etl had been rolled back, at\n"), "{}", told.text);
    assert!(at("2099-01-01").refused(2).contains("--at 2099-01-01T00:00:00Z is not in the past"));
}

#[test]
fn a_release_is_explained_with_what_the_judge_sees() {
    let server = TestServer::start();
    let (product, id) = server.product_with_canary();
    report(&server, &product, "0.0.1", "success", 40);
    report(&server, &product, "0.0.2", "success", 9);
    report(&server, &product, "0.0.2", "failed", 2);
    let told = canary(&server, "release explain --product etl --version 0.0.2");
    let want = "0.0.2 of etl is a canary in band 1 of 5: 20 % of the runs get it, the others get\n\
        0.0.1.\n\nWhat the judge sees:\n  0.0.2: 9 of 11 succeeded, 81.8 %\n  0.0.1: 40 of 40 \
        succeeded, 100 %\n  threshold: evidence ";
    assert!(told.fine().starts_with(want), "{}", told.text);
    assert!(told.text.contains("\n  baseline: the comparison with 0.0.1 has evidence "));
    assert!(told.text.contains("\nno verdict yet: if its next "), "{}", told.text);
    assert!(told.text.lines().count() <= 25, "{}", told.text);

    report(&server, &product, "0.0.2", "failed", 20);
    let told = canary(&server, &format!("release explain {id}"));
    let want = "0.0.2 of etl is rolled back: everybody gets 0.0.1.\n\nwhy: rolled back 0.0.2: ";
    assert!(told.fine().starts_with(want), "{}", told.text);
    assert!(told.text.contains("where 100 is enough to speak against it"), "{}", told.text);
    assert!(told.text.lines().all(|line| line.chars().count() <= 80), "{}", told.text);

    let told = canary(&server, "release explain --product etl --version 0.0.1 --instance-id w");
    let want = "0.0.1 of etl is the stable version: everybody gets it.\n\nwhy: it was registered as \
        stable\n\nInstance w gets 0.0.1, as everybody does: no canary is on its way.\n";
    assert_eq!(told.fine(), want);
    let line = "release explain --product etl --version 0.0.1 --at 2023-01-01T10:30:01Z";
    let want = "At 2023-01-01T10:30:01Z 0.0.1 of etl was the stable version: everybody got it.\n\n\
        Nothing was decided until then.\n";
    assert_eq!(canary(&server, line).fine(), want);
}

#[test]
fn an_analysis_has_the_numbers_of_the_server() {
    let server = TestServer::start();
    let (product, id) = server.product_with_canary();
    for (version, latency_ms) in [("0.0.1", 100), ("0.0.2", 130)] {
        let run = |number: i32| {
            let latency = json!({"latency_ms": latency_ms + number * 37 % 20});
            let signal = product.signal(version, "success").with("measurements", latency);
            signal.with("instance_id", format!("{version}-{number}")).body()
        };
        let runs = Value::Array((0..30).map(run).collect());
        server.post("/signal/batch", &runs).expect(200);
    }
    let told = canary(&server, &format!("release analysis {id}"));
    assert!(told.fine().starts_with("VERSION  SUCCEEDED        95 % INTERVAL"), "{}", told.text);
    assert!(told.text.contains("\n0.0.2    30 of 30, 100 %  "), "{}", told.text);
    assert!(told.text.contains("\nmean latency_ms  139.8  109.8          30  "), "{}", told.text);
    let told = canary(&server, &format!("release analysis {id} --output json")).json();
    let mut answer = server.get(&format!("/release/{id}/analysis")).expect(200);
    for part in ["release", "stable_version", "band", "share", "canary", "bands", "comparisons"] {
        assert_eq!(told[part], answer[part].take(), "{part}");
    }
    let said = canary(&server, "release analysis --product etl --version 0.0.1");
    assert!(said.refused(1).contains("never was a canary"), "{}", said.complaint);
}
