//! Readings that are measured with a version, compared with those of the stable version.

use canary_tests::{NDJSON, TestServer, check_test, eventually, is_near, mixture, numbers};
use serde_json::{Value, json};

/// 2023-01-01T10:30:00Z, where the clock of every server begins, in seconds since 1970.
const START: i64 = 1_672_569_000;

/// A value of the stable version: from 20 to 39, as if at random.
fn usual(number: usize) -> usize {
    20 + number * 7 % 20
}

/// Readings of temperature, each of a device of its own: a quarter of them of the canary, which is
/// hotter by so much.
fn fleet(devices: std::ops::Range<usize>, hotter: usize, second: i64) -> Vec<Value> {
    let reading = |number: usize| {
        let (version, value) = match number % 4 {
            1 => ("0.0.2", usual(number / 4) + hotter),
            _ => ("0.0.1", usual(number / 4)),
        };
        json!({
            "device_uuid": format!("device-{number}"),
            "type": "temperature",
            "value": value,
            "date_created": second,
            "version": version,
        })
    };
    devices.map(reading).collect()
}

/// Sends readings, and all of them must be taken.
#[track_caller]
fn send(server: &TestServer, readings: &[Value]) {
    let lines = canary_tests::lines(readings);
    let outcome = server.post_bytes("/readings", &[NDJSON], lines.as_bytes()).expect(200);
    assert_eq!(outcome["accepted"], readings.len(), "{outcome}");
}

/// The stable release 0.0.1 and the canary 0.0.2, which is judged by temperature.
fn with_canary(server: &TestServer, name: &str, count_repeats: bool) -> String {
    let product = server.product(name);
    product.release("0.0.1").with("is_canary", false).create();
    let policy = json!({
        "readings": {"temperature": "high_is_bad"},
        "count_repeats": count_repeats,
    });
    product.release("0.0.2").with("policy", policy).create()
}

/// What is found of the readings of a canary.
fn found(server: &TestServer, canary: &str) -> Value {
    let found = server.analysis(canary)["findings"]["measurements"][0].clone();
    assert_eq!((&found["source"], &found["name"]), (&json!("readings"), &json!("temperature")));
    found
}

/// How many readings of the canary and of the stable version were compared.
fn compared(server: &TestServer, canary: &str) -> [Option<u64>; 2] {
    let found = found(server, canary);
    ["canary", "stable"].map(|arm| found[arm]["present"].as_u64())
}

/// Lets the server learn its limits from the stable version, before a canary comes.
fn learn(server: &TestServer) {
    let before: Vec<Value> = (0..200)
        .map(|number| {
            json!({"device_uuid": format!("old-{number}"), "type": "temperature",
                "value": usual(number), "date_created": START - 600, "version": "0.0.1"})
        })
        .collect();
    send(server, &before);
}

/// Each reading in a request of its own.
fn send_one_by_one(server: &TestServer, readings: &[Value]) {
    for reading in readings {
        let mut reading = reading.clone();
        let device = reading["device_uuid"].take();
        reading.as_object_mut().expect("an object").remove("device_uuid");
        let path = format!("/devices/{}/readings", device.as_str().expect("a device"));
        server.post(&path, &reading).expect(201);
    }
}

/// All of them as those of one device, one in each second.
fn send_of_one_device(server: &TestServer, readings: &[Value]) {
    let mut readings = readings.to_vec();
    for (second, reading) in (START..).zip(&mut readings) {
        reading.as_object_mut().expect("an object").remove("device_uuid");
        reading["date_created"] = json!(second);
    }
    // Some devices send the newest first.
    readings.reverse();
    server.post("/devices/all-in-one/readings", &Value::Array(readings)).expect(200);
}

fn send_array(server: &TestServer, readings: &[Value]) {
    server.post("/readings", &json!(readings)).expect(200);
}

/// A way in for readings.
type Way = fn(&TestServer, &[Value]);

#[test]
fn readings_of_a_canary_that_is_worse_end_it_by_whichever_way_they_come() {
    let server = TestServer::start();
    learn(&server);
    let ways: [(&str, Way); 4] = [
        ("lines", send),
        ("an array", send_array),
        ("one by one", send_one_by_one),
        ("of one device", send_of_one_device),
    ];
    for (name, send_so) in ways {
        let canary = with_canary(&server, name, true);
        send_so(&server, &fleet(0..400, 40, START));
        let shown = server.release(&canary);
        let verdict = &shown["verdict"];
        assert_eq!(json!([shown["state"], verdict["rule"]]), json!(["rolled_back", "measurement"]));
        let sentence = verdict["sentence"].as_str().unwrap();
        let is_told = sentence.contains("temperature was above") && sentence.contains("readings");
        assert!(is_told, "{name}: {sentence}");
        let found = &verdict["evidence"]["findings"]["measurements"][0];
        let each = |index: usize| mixture(&found["weights"], &found["logs"][index]);
        let evidence = 0.3 * (each(0) + each(1) + each(2)) + 0.1 * each(3);
        assert!(check_test(&found["test"], evidence, 0.02), "{name}: {found}");
    }
}

#[test]
fn readings_of_a_canary_that_is_as_good_leave_it_and_are_counted() {
    let server = TestServer::start();
    learn(&server);
    let canary = with_canary(&server, "etl", false);
    send(&server, &fleet(0..400, 0, START));
    assert_eq!(server.release(&canary)["state"], "running");
    assert_eq!(compared(&server, &canary), [Some(100), Some(300)]);
    let limits = numbers(&found(&server, &canary)["limits"]);
    assert!(limits.is_sorted() && limits[0] >= 20.0 && limits[2] <= 39.0, "{limits:?}");
    let analysis = server.analysis(&canary);
    let shown = &analysis["comparisons"]["measurements"][0];
    assert_eq!((&shown["source"], &shown["canary"]["count"]), (&json!("readings"), &json!(100)));
    assert_eq!((&shown["stable"]["count"], &shown["mann_whitney"]), (&json!(300), &Value::Null));
    let mean = |arm: &str| shown[arm]["mean"].as_f64().unwrap();
    let difference = shown["welch"]["difference"].as_f64().unwrap();
    assert!(is_near(difference, mean("canary") - mean("stable")), "{shown}");
}

#[test]
fn readings_that_say_nothing_about_the_two_versions_are_not_judged() {
    let changes: [(&str, &str, Value); 6] = [
        ("no version", "version", Value::Null),
        ("another version", "version", json!("0.0.3")),
        ("not to the letter", "version", json!("v0.0.2")),
        ("another type", "type", json!("humidity")),
        ("before the canary began", "date_created", json!(START - 1)),
        ("long before", "date_created", json!(0)),
    ];
    let server = TestServer::start();
    learn(&server);
    for (name, field, value) in changes {
        let canary = with_canary(&server, name, true);
        let mut readings = fleet(0..400, 40, START);
        for reading in &mut readings {
            reading[field] = value.clone();
        }
        send(&server, &readings);
        assert_eq!(server.release(&canary)["state"], "running", "{name}");
        assert_eq!(compared(&server, &canary), [Some(0), Some(0)], "{name}");
    }
}

#[test]
fn a_canary_of_tomorrow_is_not_judged_by_readings_of_today() {
    let server = TestServer::start();
    learn(&server);
    let product = server.product("etl");
    product.release("0.0.1").with("is_canary", false).create();
    let release = product.release("0.0.2").with("release_date", "2023-01-02T10:30:00Z");
    let canary =
        release.with("policy", json!({"readings": {"temperature": "high_is_bad"}})).create();
    send(&server, &fleet(0..400, 40, START + 60));
    assert_eq!(compared(&server, &canary), [Some(0), Some(0)]);
    send(&server, &fleet(0..400, 40, START + 86_400));
    assert_eq!(server.release(&canary)["state"], "rolled_back");
}

#[test]
fn a_reading_that_comes_again_is_not_judged_again() {
    let server = TestServer::start();
    learn(&server);
    let canary = with_canary(&server, "etl", true);
    let readings = fleet(0..40, 3, START);
    send(&server, &readings);
    let before = found(&server, &canary);
    assert_eq!(compared(&server, &canary), [Some(10), Some(30)]);
    for _ in 0..3 {
        send(&server, &readings);
    }
    assert_eq!(found(&server, &canary), before);
    send(&server, &fleet(0..40, 3, START + 1));
    assert_eq!(compared(&server, &canary), [Some(20), Some(60)], "later ones of the same devices");
    let twice = [fleet(0..40, 3, START + 2), fleet(0..40, 3, START + 2)].concat();
    send(&server, &twice);
    assert_eq!(compared(&server, &canary), [Some(30), Some(90)], "twice in one request");
}

#[test]
fn what_readings_have_shown_is_kept_over_a_restart() {
    let server = TestServer::start();
    learn(&server);
    let canary = with_canary(&server, "etl", false);
    let readings = fleet(0..60, 2, START);
    send(&server, &readings);
    let before = found(&server, &canary);
    server.restart();
    assert_eq!(found(&server, &canary), before);
    // What comes again after the restart is known, and what is new is judged on top.
    send(&server, &readings);
    assert_eq!(found(&server, &canary), before);
    server.pass_days(0.001);
    send(&server, &fleet(0..60, 0, START + 60));
    assert_eq!(compared(&server, &canary), [Some(30), Some(90)]);
    send(&server, &fleet(0..400, 60, START + 61));
    assert_eq!(server.release(&canary)["state"], "rolled_back");
    server.restart();
    let kept = eventually("the verdict", || server.decisions(&canary).pop());
    assert_eq!(kept["rule"], "measurement");
}

#[test]
fn limits_are_learned_from_readings_of_the_stable_version_where_there_were_none() {
    let server = TestServer::start();
    let canary = with_canary(&server, "etl", false);
    send(&server, &fleet(0..132, 40, START));
    let shown = found(&server, &canary);
    assert_eq!((&shown["learned_from"], &shown["limits"]), (&json!(99), &Value::Null));
    send(&server, &fleet(132..532, 40, START));
    let verdict = server.decided(&canary, "rollback");
    assert_eq!(verdict["rule"], "measurement");
    assert_eq!(verdict["evidence"]["findings"]["measurements"][0]["learned_from"], 100);
}

#[test]
fn signals_and_readings_judge_the_same_canary_side_by_side() {
    let server = TestServer::start();
    learn(&server);
    let product = server.product("etl");
    product.release("0.0.1").with("is_canary", false).create();
    let policy = json!({"readings": {"temperature": "high_is_bad"}});
    let canary = product.release("0.0.2").with("policy", policy).create();
    product.runs().of("0.0.1", "success", 40).of("0.0.2", "success", 10).send();
    send(&server, &fleet(0..40, 0, START));
    let analysis = server.analysis(&canary);
    assert_eq!(analysis["canary"]["success"], 10, "readings are no runs");
    assert_eq!(compared(&server, &canary), [Some(10), Some(30)]);
    product.runs().of("0.0.2", "failed", 12).send();
    assert_eq!(server.decided(&canary, "rollback")["rule"], "threshold");
    send(&server, &fleet(0..400, 60, START + 1));
    assert_eq!(compared(&server, &canary), [Some(10), Some(30)], "it has ended");
}
