//! Readings: what is asked and sent, and what is made of the answers.

use serde_json::json;

use super::{client, json as body_of, lines};
use crate::transport::memory::answer;
use crate::transport::{Answer, Request};
use crate::types::reading::filter::{FleetFilter, ReadingFilter};
use crate::{Error, NewReadingType, Reading, ReadingsOutcome, Result};

const MIN: &str = r#"{"date_created":17,"device_uuid":"d","type":"temperature","value":22}"#;

fn filter() -> ReadingFilter {
    ReadingFilter::new("d").reading_type("temperature").start(-5).end(20)
}

#[test]
fn a_reading_says_what_was_set_and_when() {
    let (client, script) = client([answer(201, "\"success\""), answer(201, "\"success\"")]);
    client.send_reading(&Reading::new("a/b c", "temperature", 22)).unwrap();
    let full = Reading::new("d", "wind", 1.5).date_created(17).version("1.5.0");
    client.send_reading(&full).unwrap();

    let requests = script.requests.lock().unwrap();
    assert_eq!(requests[0].target, "/devices/a%2Fb%20c/readings");
    assert_eq!(requests[0].method, "POST");
    let want = json!({"type": "temperature", "value": 22});
    assert_eq!(body_of(&requests[0]), want);
    let keys: Vec<bool> = requests
        .iter()
        .map(|request| request.body.as_ref().unwrap().idempotency_key.is_some())
        .collect();
    // Without a time a repetition would be another reading.
    assert_eq!(keys, [true, false]);
    let want = json!({"type": "wind", "value": 1.5, "date_created": 17, "version": "1.5.0"});
    assert_eq!(body_of(&requests[1]), want);
}

#[test]
fn a_value_that_is_no_number_is_refused_unsent() {
    let (client, script) = client([]);
    let error = client.send_reading(&Reading::new("d", "wind", f64::NAN)).unwrap_err();
    assert_eq!(error.to_string(), "invalid: `/value` must be a finite number, got NaN");
    let endless = NewReadingType::new("wind", "m/s", 0, f64::INFINITY);
    let error = client.declare_reading_type(&endless).unwrap_err();
    assert_eq!(error.to_string(), "invalid: `/maximum` must be a finite number, got inf");
    let error = client.send_reading(&Reading::new("..", "wind", 1)).unwrap_err();
    assert_eq!(error.code(), Some("empty_name"));
    assert!(script.targets().is_empty());
}

#[test]
fn a_full_server_gets_the_same_reading_again() {
    let busy = || Ok(Answer { status: 503, ..Answer::default() });
    let (one, script) = client([busy(), answer(201, "\"success\"")]);
    one.send_reading(&Reading::new("d", "temperature", 22)).unwrap();
    let requests = script.requests.lock().unwrap();
    assert_eq!(requests[0], requests[1]);

    let (many, script) = client([busy(), answer(200, r#"{"accepted":1,"rejected":[]}"#)]);
    many.send_readings([Reading::new("d", "temperature", 22)]).unwrap();
    let requests = script.requests.lock().unwrap();
    assert_eq!(requests[0], requests[1]);
}

#[test]
fn many_readings_go_in_chunks_and_rejections_keep_their_place() {
    let rejected = |accepted: u64, index: usize| {
        let rejected = json!([{"index": index, "code": "out_of_range", "detail": "d"}]);
        answer(200, &json!({"accepted": accepted, "rejected": rejected}).to_string())
    };
    let (client, script) = client([rejected(99_999, 0), rejected(3, 1)]);
    // Number 2 cannot be sent, so the first request ends with number 100 000.
    let readings = (0..100_005).map(|number| {
        let value = if number == 2 { f64::INFINITY } else { f64::from(number) };
        Reading::new("d", "t", value).date_created(i64::from(number))
    });
    let outcome = client.send_readings(readings).unwrap();
    assert_eq!(outcome.accepted, 100_002);
    let rejected: Vec<_> = outcome.rejected.iter().map(|r| (r.index, r.code.as_str())).collect();
    assert_eq!(rejected, [(0, "out_of_range"), (2, "not_finite"), (100_002, "out_of_range")]);

    let requests = script.requests.lock().unwrap();
    assert!(requests.iter().all(|request| request.target == "/readings"));
    let second = lines(&requests[1]);
    assert_eq!((lines(&requests[0]).len(), second.len()), (100_000, 4));
    let want = json!({"device_uuid": "d", "type": "t", "value": 100_002, "date_created": 100_002});
    assert_eq!(second[1], want);
}

#[test]
fn readings_without_a_date_go_with_a_key_and_none_are_no_request() {
    let (client, script) = client([answer(200, r#"{"accepted":1,"rejected":[]}"#)]);
    assert_eq!(client.send_readings([]).unwrap(), ReadingsOutcome::default());
    client.send_readings([Reading::new("d", "temperature", 22)]).unwrap();
    let requests = script.requests.lock().unwrap();
    assert_eq!(lines(&requests[0])[0].get("date_created"), None);
    assert!(requests[0].body.as_ref().unwrap().idempotency_key.is_some());
}

#[test]
fn readings_are_listed_over_all_pages() {
    let next = r#"</devices/d/readings?type=temperature&cursor=2>; rel="next""#.to_owned();
    let page = |link| {
        let bytes = format!("[{MIN}]").into_bytes();
        Ok(Answer { status: 200, link, bytes, ..Answer::default() })
    };
    let (client_of_two, script) = client([page(Some(next)), page(None)]);
    let readings: Vec<_> = client_of_two.readings(&filter()).collect::<Result<_>>().unwrap();
    assert_eq!(readings.len(), 2);
    assert_eq!((readings[0].date_created, readings[0].value), (17, 22.0));
    assert_eq!(readings[0].version, None);
    let want = [
        "/devices/d/readings?type=temperature&start=-5&end=20",
        "/devices/d/readings?type=temperature&cursor=2",
    ];
    assert_eq!(script.targets(), want);

    let (nobody, script) = client([]);
    let all: Vec<_> = nobody.readings(&ReadingFilter::new("..")).collect();
    assert!(matches!(all[..], [Err(Error::Invalid { .. })]), "{all:?}");
    assert!(script.targets().is_empty());
}

#[test]
fn statistics_are_asked_by_their_names() {
    let median = MIN.replace('}', r#","relative_error":0.01}"#);
    let (client, script) = client([
        answer(200, MIN),
        answer(200, MIN),
        answer(200, &median),
        answer(200, r#"{"value":48.5}"#),
        answer(200, r#"{"value":22}"#),
        answer(200, r#"{"quartile_1":22,"quartile_3":75.5}"#),
    ]);
    let filter = ReadingFilter::new("d").reading_type("temperature");
    assert_eq!(client.reading_min(&filter).unwrap().unwrap().relative_error, None);
    assert_eq!(client.reading_max(&filter).unwrap().unwrap().device_uuid, "d");
    assert_eq!(client.reading_median(&filter).unwrap().unwrap().relative_error, Some(0.01));
    assert_eq!(client.reading_mean(&filter).unwrap(), Some(48.5));
    assert_eq!(client.reading_mode(&filter).unwrap(), Some(22.0));
    assert_eq!(client.quartiles(&filter).unwrap().unwrap().quartile_3, 75.5);
    let want = ["min", "max", "median", "mean", "mode", "quartiles"]
        .map(|statistic| format!("/devices/d/readings/{statistic}?type=temperature"));
    assert_eq!(script.targets(), want);
}

#[test]
fn no_readings_are_an_answer_and_another_lack_is_an_error() {
    let none = || answer(404, r#"{"code":"no_readings","detail":"there are none"}"#);
    let null = || answer(200, r#"{"value":null}"#);
    let lost = answer(404, r#"{"code":"unknown_path","detail":"no such path"}"#);
    let (client, _) = client([none(), null(), null(), none(), none(), none(), lost]);
    assert_eq!(client.reading_min(&filter()).unwrap(), None);
    assert_eq!(client.reading_mean(&filter()).unwrap(), None);
    assert_eq!(client.reading_mode(&filter()).unwrap(), None);
    assert_eq!(client.quartiles(&filter()).unwrap(), None);
    assert_eq!(client.summary(&filter(), None).unwrap(), None);
    assert_eq!(client.fleet_summary(&FleetFilter::new("t"), None).unwrap(), None);
    let result = client.reading_max(&filter());
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
}

#[test]
fn a_summary_is_read_with_and_without_what_may_be_missing() {
    let device = format!(
        r#"{{"device_uuid":"d","type":"temperature","count":1,"min":{MIN},"max":{MIN},
        "median":{MIN},"mean":22,"mode":22,"quartile_1":22,"quartile_3":22,"variance":null,
        "exact":true}}"#
    );
    let fleet = format!(
        r#"{{"type":"temperature","version":"1.5.0","count":4,"min":{MIN},"max":{MIN},
        "median":{MIN},"mean":48.5,"mode":22,"quartile_1":22,"quartile_3":75,"variance":1357.0,
        "exact":false,"relative_error":0.01,
        "histogram":[{{"minimum":22,"maximum":61,"count":3}},{{"minimum":61,"maximum":100,"count":1}}]}}"#
    );
    let (client, script) = client([answer(200, &device), answer(200, &fleet)]);
    let summary = client.summary(&filter(), None).unwrap().unwrap();
    assert_eq!((summary.count, summary.variance, summary.exact), (1, None, true));
    assert!(summary.histogram.is_empty());

    let canaries = FleetFilter::new("temperature").version("1.5.0").start(1).end(2);
    let summary = client.fleet_summary(&canaries, Some(2)).unwrap().unwrap();
    assert_eq!((summary.device_uuid, summary.version.as_deref()), (None, Some("1.5.0")));
    assert_eq!((summary.relative_error, summary.variance), (Some(0.01), Some(1357.0)));
    assert_eq!((summary.histogram[0].count, summary.histogram[1].maximum), (3, 100.0));
    let want = [
        "/devices/d/readings/summary?type=temperature&start=-5&end=20",
        "/readings/summary?type=temperature&version=1.5.0&start=1&end=2&bins=2",
    ];
    assert_eq!(script.targets(), want);
}

#[test]
fn a_type_is_declared_under_its_name() {
    let declared =
        r#"{"name":"wind speed","unit":"m/s","minimum":0,"maximum":120.5,"integer":false}"#;
    let (client, script) = client([answer(200, declared), answer(200, &format!("[{declared}]"))]);
    let wind = NewReadingType::new("wind speed", "m/s", 0, 120.5);
    let wind = client.declare_reading_type(&wind).unwrap();
    assert_eq!((wind.name.as_str(), wind.maximum), ("wind speed", 120.5));
    assert_eq!(client.reading_types().unwrap(), [wind]);

    let requests = script.requests.lock().unwrap();
    let Request { method, target, .. } = &requests[0];
    assert_eq!((*method, target.as_str()), ("PUT", "/reading-type/wind%20speed"));
    let want = json!({"unit": "m/s", "minimum": 0, "maximum": 120.5, "integer": false});
    assert_eq!(body_of(&requests[0]), want);
}
