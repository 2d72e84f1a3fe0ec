//! Statistics of a device, and of all: exact numbers, in any range of time, asked for in the query
//! or in a body.

use canary_tests::{Answer, DEVICE, JSON, READINGS, TestServer};
use serde_json::{Value, json};

const STATISTICS: [&str; 7] = ["min", "max", "median", "mean", "mode", "quartiles", "summary"];

/// A second in the hour that the clock of a test server stands in.
const AT: i64 = 1_672_567_200;

fn send(server: &TestServer, kind: &str, values: &[(i64, f64)]) {
    let readings: Vec<Value> = values
        .iter()
        .map(|(at, value)| json!({"type": kind, "value": value, "date_created": at}))
        .collect();
    assert_eq!(server.post(READINGS, &json!(readings)).expect(200)["accepted"], values.len());
}

fn ask(server: &TestServer, statistic: &str, query: &str) -> Value {
    server.get(&format!("{READINGS}/{statistic}?{query}")).expect(200)
}

fn ask_with_body(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    server.send("GET", path, headers, Some(body.as_bytes())).expect("an answer")
}

fn reading(at: i64, value: i64) -> Value {
    json!({"date_created": at, "device_uuid": DEVICE, "type": "temperature", "value": value})
}

/// 22, 22, 50 and 100.
fn server_with_four() -> TestServer {
    let server = TestServer::start();
    send(&server, "temperature", &[(AT + 30, 50.0), (AT + 10, 22.0), (AT, 22.0), (AT + 20, 100.0)]);
    server
}

#[test]
fn four_temperatures_have_the_statistics_that_everybody_expects() {
    let server = server_with_four();
    let wanted = [
        ("min", reading(AT + 10, 22)),
        ("max", reading(AT + 20, 100)),
        ("median", reading(AT + 10, 36)),
        ("mean", json!({"value": 48.5})),
        ("mode", json!({"value": 22})),
        ("quartiles", json!({"quartile_1": 22, "quartile_3": 75})),
        (
            "summary",
            json!({
                "device_uuid": DEVICE, "type": "temperature", "count": 4,
                "min": reading(AT + 10, 22), "max": reading(AT + 20, 100),
                "median": reading(AT + 10, 36), "mean": 48.5, "mode": 22, "quartile_1": 22,
                "quartile_3": 75, "variance": 1353, "exact": true,
            }),
        ),
    ];
    for (statistic, wanted) in wanted {
        for slash in ["", "/"] {
            let path = format!("{READINGS}/{statistic}{slash}");
            let answer = server.get(&format!("{path}?type=temperature"));
            assert_eq!(answer.text, wanted.to_string(), "{path}");
            for headers in [&[][..], &[JSON]] {
                let body = r#"{"type": "temperature"}"#;
                let answer = ask_with_body(&server, &path, headers, body);
                assert_eq!(answer.expect(200), wanted, "{path} {headers:?}");
            }
        }
    }
    server.restart();
    assert_eq!(ask(&server, "median", "type=temperature"), reading(AT + 10, 36));
}

#[test]
fn both_ends_of_a_range_are_included() {
    let server = server_with_four();
    let values = |query: &str| {
        let summary = ask(&server, "summary", &format!("type=temperature&{query}"));
        (summary["count"].as_i64().unwrap(), summary["max"]["value"].as_i64().unwrap())
    };
    let cases = [
        (String::new(), (4, 100)),
        (format!("start={AT}&end={AT}"), (1, 22)),
        (format!("start={}", AT + 20), (2, 100)),
        (format!("end={}", AT + 19), (2, 22)),
        (format!("start=-1&end={}", AT + 20), (3, 100)),
        (format!("start={}&end=9999999999", AT + 30), (1, 50)),
    ];
    for (query, want) in cases {
        assert_eq!(values(&query), want, "{query}");
    }
}

#[test]
fn no_reading_is_404_or_null_or_an_empty_list() {
    let server = server_with_four();
    let ends = format!("end={}", AT - 1);
    let nothing = [
        ("another", "type=temperature".to_owned()),
        (DEVICE, "type=humidity".to_owned()),
        (DEVICE, format!("type=temperature&{ends}")),
        (DEVICE, "type=temperature&end=-1".to_owned()),
        (DEVICE, format!("type=temperature&start={}&end={AT}", AT + 20)),
        (DEVICE, "type=temperature&start=9999999999".to_owned()),
    ];
    for (device, query) in nothing {
        let readings = format!("/devices/{device}/readings");
        for statistic in STATISTICS {
            let answer = server.get(&format!("{readings}/{statistic}/?{query}"));
            if ["mean", "mode"].contains(&statistic) {
                assert_eq!(answer.text, r#"{"value":null}"#, "{device} {query}");
            } else {
                let problem = answer.expect_problem(404, "no_readings");
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.starts_with(&format!("device `{device}` has no reading of type `")));
            }
        }
        assert_eq!(server.get(&format!("{readings}/?{query}")).expect(200), json!([]));
    }
    let nothing = server.get("/readings/summary?type=temperature&version=1");
    let problem = nothing.expect_problem(404, "no_readings");
    let wanted = "no device has a reading of type `temperature` and version `1` in this range";
    assert_eq!(problem["detail"], wanted);
}

#[test]
fn filters_that_cannot_be_accepted_are_refused() {
    let server = server_with_four();
    let cases = [
        ("", "unknown_type", "parameter `type` is missing, declared are `temperature`, `humidity`"),
        ("type=", "unknown_type", "type `` is unknown"),
        ("type=pressure", "unknown_type", "type `pressure` is unknown, declared are `temperature`"),
        ("type=temperature&start=x", "invalid_parameter", "parameter `start` is `x`"),
        ("type=temperature&end=1.5", "invalid_parameter", "parameter `end` is `1.5`"),
    ];
    let bodies = [
        ("{}", 422, "unknown_type", "parameter `type` is missing"),
        (r#"{"type":"pressure"}"#, 422, "unknown_type", "type `pressure` is unknown"),
        (r#"{"type":7}"#, 422, "invalid", "expected a string"),
        (r#"{"type":"temperature","start":"1"}"#, 422, "invalid", "expected whole seconds"),
        (r#"{"type":"temperature","end":1.5}"#, 422, "invalid", "expected whole seconds"),
        (r#"{"type":"temperature","strat":1}"#, 422, "invalid", "did you mean `start`?"),
        (r#"{"type":"temperature","limit":1}"#, 422, "invalid", "unknown field `limit`"),
        ("[]", 422, "invalid", "the body must be a JSON object"),
        ("{", 400, "not_json", "the body is not JSON"),
    ];
    for statistic in STATISTICS {
        let path = format!("{READINGS}/{statistic}");
        for (query, code, detail) in cases {
            let problem = server.get(&format!("{path}?{query}")).expect_problem(422, code);
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
        for (body, status, code, detail) in bodies {
            let problem = ask_with_body(&server, &path, &[], body).expect_problem(status, code);
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
        let plain = [("Content-Type", "text/plain")];
        ask_with_body(&server, &path, &plain, "{}").expect_problem(415, "unsupported_media_type");
    }
}

#[test]
fn the_query_wins_over_the_body_field_by_field() {
    let server = server_with_four();
    let path = format!("{READINGS}/max?end={}", AT + 10);
    let body = json!({"type": "temperature", "start": AT + 10, "end": AT + 30}).to_string();
    assert_eq!(ask_with_body(&server, &path, &[], &body).expect(200), reading(AT + 10, 22));
    let path = format!("{READINGS}/max?type=temperature");
    for empty in ["", " \n", "{}", r#"{"type": null, "start": null}"#] {
        let plain = [("Content-Type", "text/plain")];
        let headers = if empty.trim().is_empty() { &plain[..] } else { &[] };
        let answer = ask_with_body(&server, &path, headers, empty);
        assert_eq!(answer.expect(200), reading(AT + 20, 100), "`{empty}`");
    }
}

#[test]
fn of_equal_values_the_newest_is_shown_whatever_came_last() {
    let server = TestServer::start();
    send(&server, "temperature", &[(AT + 50, 7.0), (AT + 70, 9.0), (AT + 60, 9.0), (AT + 40, 7.0)]);
    send(&server, "temperature", &[(AT - 7200, 7.0), (AT - 7200, 9.0)]);
    assert_eq!(ask(&server, "min", "type=temperature"), reading(AT + 50, 7));
    assert_eq!(ask(&server, "max", "type=temperature"), reading(AT + 70, 9));
    assert_eq!(ask(&server, "median", "type=temperature"), reading(AT + 50, 8));
    let query = format!("type=temperature&end={}", AT + 45);
    assert_eq!(ask(&server, "min", &query), reading(AT + 40, 7));
}

#[test]
fn late_readings_count_as_if_they_had_come_in_time() {
    let server = TestServer::start();
    let all: Vec<(i64, f64)> =
        (0..400).map(|n| (AT - n * 97, f64::from((n * 37 % 101) as i32))).collect();
    let (in_time, late): (Vec<_>, Vec<_>) = all.iter().partition(|(at, _)| at % 3 != 0);
    send(&server, "temperature", &in_time);
    let count = || ask(&server, "summary", "type=temperature")["count"].clone();
    assert_eq!(count(), in_time.len());
    server.pass_days(1.0);
    send(&server, "temperature", &late);
    send(&server, "temperature", &in_time[..50]);
    let mut values: Vec<f64> = all.iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / 400.0;
    for day in 0..3 {
        let summary = ask(&server, "summary", "type=temperature");
        assert_eq!(summary["count"], 400, "day {day}");
        assert_eq!(summary["mean"].as_f64(), Some(mean), "day {day}");
        let median = values[199].midpoint(values[200]);
        assert_eq!(summary["median"]["value"].as_f64(), Some(median), "day {day}");
        assert_eq!(server.get(READINGS).expect(200).as_array().unwrap().len(), 400);
        server.pass_days(1.0);
        server.restart();
    }
}

#[test]
fn a_histogram_is_shown_if_its_bins_are_asked_for() {
    let server = server_with_four();
    let histogram = |query: &str| ask(&server, "summary", query)["histogram"].clone();
    assert_eq!(histogram("type=temperature"), Value::Null);
    let wanted = json!([
        {"minimum": 22, "maximum": 61, "count": 3}, {"minimum": 62, "maximum": 100, "count": 1}
    ]);
    assert_eq!(histogram("type=temperature&bins=2"), wanted);
    let path = format!("{READINGS}/summary");
    let answer = ask_with_body(&server, &path, &[], r#"{"type":"temperature","bins":2}"#);
    assert_eq!(answer.expect(200)["histogram"], wanted);
    let all = server.get("/readings/summary?type=temperature&bins=2").expect(200);
    assert_eq!(all["histogram"], wanted);
    let most = histogram("type=temperature&bins=100");
    assert_eq!(most.as_array().unwrap().len(), 79, "never more than there are numbers");
    let one = histogram(&format!("type=temperature&bins=10&end={AT}"));
    assert_eq!(one, json!([{"minimum": 22, "maximum": 22, "count": 1}]));
    for bins in ["0", "101", "-1", "x"] {
        let path = format!("{READINGS}/summary?type=temperature&bins={bins}");
        server.get(&path).expect_problem(422, "invalid_parameter");
    }
}

#[test]
fn one_reading_has_no_variance() {
    let server = TestServer::start();
    send(&server, "humidity", &[(AT, 40.0)]);
    let summary = ask(&server, "summary", "type=humidity");
    assert_eq!((&summary["count"], &summary["variance"]), (&json!(1), &Value::Null));
    assert_eq!(summary["median"]["value"], 40);
    assert!(summary.as_object().unwrap().contains_key("variance"));
}

#[test]
fn the_summary_of_all_devices_compares_versions() {
    let server = TestServer::start();
    let of = |device: usize, version: &str, value: i64| {
        json!({
            "device_uuid": format!("d{device}"), "type": "temperature", "value": value,
            "date_created": AT, "version": version,
        })
    };
    let mut readings: Vec<Value> = (0..10).map(|device| of(device, "1.0.0", 20)).collect();
    readings.extend((0..5).map(|device| of(device + 20, "2.0.0", 90)));
    readings.push(
        json!({"device_uuid": "d99", "type": "temperature", "value": 50, "date_created": AT}),
    );
    server.post("/readings", &json!(readings)).expect(200);
    let summary = |query: &str| {
        let path = format!("/readings/summary?type=temperature{query}");
        server.get(&path).expect(200)
    };
    let told = |summary: &Value| (summary["count"].as_i64(), summary["median"]["value"].as_i64());
    for day in 0..2 {
        assert_eq!(told(&summary("")), (Some(16), Some(20)), "day {day}");
        let old = summary("&version=1.0.0");
        assert_eq!((told(&old), &old["version"]), ((Some(10), Some(20)), &json!("1.0.0")));
        assert_eq!(told(&summary("&version=2.0.0")), (Some(5), Some(90)));
        server.pass_days(1.0);
    }
    let min = json!({"date_created": AT, "type": "temperature", "value": 20});
    assert_eq!(summary("")["min"], min, "of no device");
    let cut = format!("&start={AT}&end={AT}");
    assert_eq!(told(&summary(&cut)), (Some(16), Some(20)));
    let body = r#"{"type":"temperature","version":"2.0.0"}"#;
    let answer = ask_with_body(&server, "/readings/summary", &[], body);
    assert_eq!(told(&answer.expect(200)), (Some(5), Some(90)));
    for (query, code) in [("", "unknown_type"), ("?type=x", "unknown_type")] {
        server.get(&format!("/readings/summary{query}")).expect_problem(422, code);
    }
}
