//! Readings of many devices at once: arrays and lines, packed and plain, repeated, at once.

use canary_tests::{GZIP, JSON, NDJSON, TestServer, lines, packed, reading, readings};
use serde_json::{Value, json};

#[test]
fn many_readings_are_an_array_or_lines_plain_or_packed() {
    let server = TestServer::start();
    let all = readings(14);
    let (first, second) = all.split_at(7);
    let array = |of: &[Value]| json!(of).to_string();
    let pretty = serde_json::to_string_pretty(&json!(first)).expect("JSON");
    let blank =
        format!("\n{}\r\n  \n{}", lines(second).replace('\n', "\r\n"), lines(first).trim_end());
    let spaced = lines(second).replace(',', ", ").replace(':', ": ");
    let cases: [(&str, &[_], Vec<u8>, u64, u64); 9] = [
        ("array", &[JSON], array(first).into(), 7, 7),
        ("array without Content-Type", &[], array(first).into(), 7, 7),
        ("array with blanks", &[JSON], format!(" {pretty}\n").into(), 7, 7),
        ("packed array", &[GZIP], packed(&array(first)), 7, 7),
        ("lines with blanks", &[NDJSON], spaced.into(), 7, 14),
        ("blank lines, and none at the end", &[NDJSON], blank.into(), 14, 14),
        ("packed lines", &[NDJSON, GZIP], packed(&lines(&all)), 14, 14),
        (
            "no Content-Encoding",
            &[JSON, ("Content-Encoding", "identity")],
            array(second).into(),
            7,
            14,
        ),
        (
            "two members",
            &[NDJSON, GZIP],
            [packed(&lines(first)), packed(&lines(second))].concat(),
            14,
            14,
        ),
    ];
    for (name, headers, body, accepted, stored) in cases {
        let outcome = server.post_bytes("/readings/", headers, &body).expect(200);
        assert_eq!(outcome, json!({"accepted": accepted, "rejected": []}), "{name}");
        assert_eq!(server.count_temperatures(), stored, "{name}");
    }
    let listed = server.get("/devices/device-3/readings").expect(200);
    let wanted = json!([reading(3, 3), reading(3, 10)]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    for (listed, wanted) in listed.as_array().unwrap().iter().zip(wanted.as_array().unwrap()) {
        assert_eq!(listed, wanted);
    }
}

#[test]
fn a_bad_element_is_named_and_does_not_keep_the_good_ones_out() {
    let server = TestServer::start();
    let with = |field: &str, value: Value| {
        let mut reading = reading(1, 1);
        reading[field] = value;
        reading
    };
    let all = [
        reading(1, 1),
        with("type", json!("pressure")),
        with("value", json!(101)),
        with("value", json!("1")),
        with("device_uuid", json!("a b")),
        with("device_uuid", json!("x".repeat(129))),
        with("date_created", json!(1.5)),
        with("date_created", json!(-1)),
        with("version", json!("a b")),
        with("vresion", json!("1")),
        json!({"type": "temperature", "value": 1}),
        json!({"device_uuid": "d", "value": 1}),
        json!([1]),
        json!(null),
        json!("text"),
        reading(2, 2),
    ];
    let as_array = server.post_readings(&all).expect(200);
    let as_lines = server.post_bytes("/readings", &[NDJSON], lines(&all).as_bytes());
    assert_eq!(as_lines.expect(200), as_array);
    assert_eq!(as_array["accepted"], 2);
    let rejected = as_array["rejected"].as_array().unwrap();
    let wanted = [
        (1, "unknown_type", "type `pressure` is unknown, declared are `temperature`, `humidity`"),
        (2, "invalid", "value is 101, it must be from 0 to 100"),
        (3, "invalid", "value: invalid type: string \"1\", expected a number"),
        (4, "invalid", "device_uuid `a b` has an invisible character at position 2"),
        (5, "invalid", "device_uuid has 129 characters, at most 128 are accepted"),
        (6, "invalid", "expected whole seconds since 1970"),
        (7, "invalid", "date_created is -1, it must be from 0 to 4294967295"),
        (8, "invalid", "version `a b` has an invisible character at position 2"),
        (9, "invalid", "unknown field `vresion`, did you mean `version`?"),
        (10, "invalid", "device_uuid is missing"),
        (11, "invalid", "type is missing, declared are `temperature`, `humidity`"),
        (12, "invalid", "the body must be a JSON object"),
        (13, "invalid", "the body must be a JSON object"),
        (14, "invalid", "the body must be a JSON object"),
    ];
    assert_eq!(rejected.len(), wanted.len(), "{as_array}");
    for (one, (index, code, detail)) in rejected.iter().zip(wanted) {
        assert_eq!((&one["index"], &one["code"]), (&json!(index), &json!(code)), "{one}");
        assert!(one["detail"].as_str().unwrap().contains(detail), "{one}");
    }
    assert_eq!(server.count_temperatures(), 2);
    let none = server.post_readings(&all[1..4]).expect(200);
    assert_eq!((&none["accepted"], none["rejected"].as_array().unwrap().len()), (&json!(0), 3));
}

#[test]
fn a_body_sent_again_is_stored_once_and_answered_the_same() {
    let server = TestServer::start();
    let all = readings(3_000);
    let first = server.post_readings(&all).expect(200);
    assert_eq!(first, json!({"accepted": 3_000, "rejected": []}));
    assert_eq!(server.post_readings(&all).expect(200), first);
    server.restart();
    server.pass_days(1.0);
    assert_eq!(server.post_readings(&all).expect(200), first);
    assert_eq!(server.count_temperatures(), 3_000);

    let key = [("Idempotency-Key", "part-1")];
    let undated = json!([{"device_uuid": "d", "type": "humidity", "value": 1}, {"value": 1}]);
    let send = |body: &Value| server.post_with("/readings", &key, body);
    let first = send(&undated).expect(200);
    assert_eq!((&first["accepted"], &first["rejected"][0]["index"]), (&json!(1), &json!(1)));
    server.pass_days(1.0);
    assert_eq!(send(&undated).expect(200), first, "the same answer, as if it were the first");
    assert_eq!(server.get("/devices/d/readings").expect(200).as_array().unwrap().len(), 1);
    send(&json!(all)).expect_problem(422, "key_reused");
}

#[test]
fn many_at_once_lose_nothing_and_store_nothing_twice() {
    let server = TestServer::start();
    let all = readings(8_000);
    std::thread::scope(|scope| {
        for part in 0..8 {
            let (server, all) = (&server, &all);
            scope.spawn(move || {
                // Each part overlaps with the next.
                for piece in all[part * 900..(part * 900 + 1_700)].chunks(170) {
                    assert_eq!(server.post_readings(piece).expect(200)["accepted"], piece.len());
                }
            });
        }
    });
    assert_eq!(server.count_temperatures(), 8_000);
    let metrics = server.get("/metrics").text;
    let figure = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {metrics}")).parse::<u64>().expect("a number")
    };
    assert_eq!(figure("canary_readings_total"), 8 * 1_700);
    assert_eq!(figure("canary_reading_series"), 7);
    assert!(figure("canary_readings_unfolded") <= 8 * 1_700);
    assert!(figure("canary_reading_bytes_unfolded") >= figure("canary_reading_blocks"));
}
