//! Devices: readings sent one by one or in arrays, stored once, listed with their device.

use canary_tests::{DEVICE, GZIP, JSON, READINGS, TestServer, packed, temperature};
use serde_json::{Value, json};

/// Seconds since 1970 at which the clock of a test server stands.
const NOW: i64 = 1_672_569_000;

#[test]
fn a_reading_is_stored_and_listed_with_its_device() {
    let server = TestServer::start();
    assert_eq!(server.list_of_device(), json!([]));
    let answer = server.post_of_device(&temperature(22, 1_600_000_000));
    assert_eq!(answer.expect(201), "success");
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("application/json")));
    let mut wanted = json!([
        {"date_created": 1_600_000_000, "device_uuid": DEVICE, "type": "temperature", "value": 22}
    ]);
    assert_eq!(server.get(READINGS).text, wanted.to_string());

    let humid = json!({"version": "1.5.0", "value": 40.0, "type": "humidity"});
    assert_eq!(server.post(&format!("{READINGS}/"), &humid).expect(201), "success");
    wanted.as_array_mut().unwrap().push(json!({
        "date_created": NOW, "device_uuid": DEVICE, "type": "humidity", "value": 40,
        "version": "1.5.0",
    }));
    assert_eq!(server.list_of_device(), wanted, "the time of arrival, a whole number, a version");
    server.restart();
    assert_eq!(server.get(&format!("{READINGS}/")).expect(200), wanted);
}

#[test]
fn a_reading_may_be_sent_without_content_type_packed_and_in_any_order() {
    let server = TestServer::start();
    let packed = packed(&temperature(4, 4).to_string());
    let cases: [(&[_], &[u8]); 5] = [
        (&[], br#"{"type":"temperature","value":1,"date_created":1}"#),
        (
            &[JSON],
            b" {\n\"date_created\": 2, \"value\" : 2.0, \"type\": \"temper\\u0061ture\"}\r\n",
        ),
        (
            &[("Content-Type", "application/json; charset=utf-8")],
            br#"{"value":3e0,"type":"temperature","date_created":3.0,"version":null}"#,
        ),
        (&[GZIP], &packed),
        (&[], br#"{"type":"temperature","value":-0,"date_created":5}"#),
    ];
    for (headers, body) in cases {
        let answer = server.post_bytes(READINGS, headers, body);
        assert_eq!(answer.expect(201), "success", "{}", String::from_utf8_lossy(body));
    }
    let values: Vec<Value> = server
        .list_of_device()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].clone())
        .collect();
    assert_eq!(json!(values), json!([1, 2, 3, 4, 0]));
}

#[test]
fn a_device_is_any_visible_name() {
    let server = TestServer::start();
    let longest = "x".repeat(128);
    for name in ["1", "greenhouse-7", "a%2Fb", "gr%C3%B6%C3%9Fe", "%22", longest.as_str()] {
        let path = format!("/devices/{name}/readings");
        server.post(&path, &temperature(7, 7)).expect(201);
        assert_eq!(server.get(&path).expect(200)[0]["value"], 7, "{name}");
        assert_eq!(server.get(&format!("{path}/max?type=temperature")).expect(200)["value"], 7);
    }
    assert_eq!(server.get("/devices/a%2Fb/readings").expect(200)[0]["device_uuid"], "a/b");
    let too_long = "x".repeat(129);
    for name in ["a%20b", "%E2%80%8B", "%00", too_long.as_str()] {
        let path = format!("/devices/{name}/readings");
        server.post(&path, &temperature(7, 7)).expect_problem(422, "invalid_parameter");
        server.get(&path).expect_problem(422, "invalid_parameter");
        let path = format!("{path}/summary?type=temperature");
        server.get(&path).expect_problem(422, "invalid_parameter");
    }
}

#[test]
fn an_array_is_taken_element_by_element() {
    let server = TestServer::start();
    let readings = json!([
        temperature(1, 1),
        {"type": "temperature", "value": 101},
        temperature(2, 2),
        {"type": "temperature", "value": 1, "device_uuid": DEVICE},
        7,
        temperature(1, 1),
    ]);
    let outcome = server.post_of_device(&readings).expect(200);
    assert_eq!(outcome["accepted"], 3, "what came twice is durable as well");
    let rejected = outcome["rejected"].as_array().unwrap();
    let places: Vec<(u64, &str)> = rejected
        .iter()
        .map(|one| (one["index"].as_u64().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(places, [(1, "invalid"), (3, "invalid"), (4, "invalid")]);
    assert!(rejected[1]["detail"].as_str().unwrap().starts_with("unknown field `device_uuid`"));
    assert_eq!(server.list_of_device().as_array().unwrap().len(), 2);
    server.post_of_device(&json!([])).expect_problem(422, "invalid");
    server.post_bytes(READINGS, &[], b"[{}, {]").expect_problem(400, "not_json");
}

#[test]
fn the_same_reading_sent_again_is_stored_once() {
    let server = TestServer::start();
    for _ in 0..3 {
        server.post_of_device(&temperature(22, 10)).expect(201);
    }
    server.post_of_device(&temperature(23, 10)).expect(201);
    server
        .post_of_device(&json!({"type": "humidity", "value": 22, "date_created": 10}))
        .expect(201);
    let count = || {
        let summary = server.get(&format!("{READINGS}/summary?type=temperature")).expect(200);
        summary["count"].as_u64().unwrap()
    };
    assert_eq!((count(), server.list_of_device().as_array().unwrap().len()), (2, 3));
    server.restart();
    server.post_of_device(&temperature(22, 10)).expect(201);
    assert_eq!((count(), server.list_of_device().as_array().unwrap().len()), (2, 3));
}

#[test]
fn an_idempotency_key_is_for_one_reading_of_one_device() {
    let server = TestServer::start();
    let key = [("Idempotency-Key", "reading-1")];
    let reading = json!({"type": "temperature", "value": 22});
    let send = |path: &str, body: &Value| server.post_with(path, &key, body);
    assert_eq!(send(READINGS, &reading).expect(201), "success");
    server.pass_days(0.5);
    assert_eq!(send(READINGS, &reading).expect(201), "success");
    assert_eq!(
        server.list_of_device().as_array().unwrap().len(),
        1,
        "not stored with the later time"
    );
    send(READINGS, &temperature(1, 1)).expect_problem(422, "key_reused");
    send("/devices/another/readings", &reading).expect_problem(422, "key_reused");
    let long = [("Idempotency-Key", "")];
    server.post_with(READINGS, &long, &reading).expect_problem(422, "invalid_parameter");
}
