//! Types of readings: declared by people, and kept to.

use canary_tests::{Answer, TestServer};
use serde_json::{Value, json};

fn declare(server: &TestServer, name: &str, body: &Value) -> Answer {
    let path = format!("/reading-type/{name}");
    server.send("PUT", &path, &[], Some(body.to_string().as_bytes())).expect("an answer")
}

fn send(server: &TestServer, kind: &str, value: impl Into<Value>) -> Answer {
    let value = value.into();
    server.post("/devices/d/readings", &json!({"type": kind, "value": value, "date_created": 7}))
}

#[test]
fn temperature_and_humidity_are_there_from_the_start() {
    let server = TestServer::start();
    let of = |name: &str, unit: &Value| json!({"name": name, "unit": unit, "minimum": 0, "maximum": 100, "integer": true});
    let listed = server.get("/reading-type").expect(200);
    let wanted = json!([of("humidity", &listed[0]["unit"]), of("temperature", &listed[1]["unit"])]);
    assert_eq!(listed, wanted);
    assert_eq!(server.get("/reading-type/humidity/").expect(200), listed[0]);
    let problem = server.get("/reading-type/pressure").expect_problem(404, "unknown_reading_type");
    assert_eq!(problem["detail"], "no type of readings has the name `pressure`");
}

#[test]
fn a_type_of_any_numbers_takes_fractions() {
    let server = TestServer::start();
    send(&server, "pressure", 1013.25).expect_problem(422, "unknown_type");
    let body = json!({"unit": "hPa", "minimum": -0.5, "maximum": 2000});
    let declared = declare(&server, "pressure", &body).expect(200);
    let wanted = json!({"name": "pressure", "unit": "hPa", "minimum": -0.5, "maximum": 2000, "integer": false});
    assert_eq!(declared, wanted);
    send(&server, "pressure", 1013.25).expect(201);
    send(&server, "pressure", -0.25).expect(201);
    send(&server, "pressure", 1000).expect(201);
    send(&server, "pressure", 2000.5).expect_problem(422, "invalid");
    send(&server, "pressure", "1013.25").expect_problem(422, "invalid");
    for _ in 0..2 {
        let listed = server.get("/devices/d/readings?type=pressure").expect(200);
        let values: Vec<&Value> =
            listed.as_array().unwrap().iter().map(|one| &one["value"]).collect();
        assert_eq!(json!(values), json!([-0.25, 1000, 1013.25]));
        let summary = server.get("/devices/d/readings/summary?type=pressure").expect(200);
        let shown = (&summary["min"]["value"], &summary["mean"], &summary["exact"]);
        assert_eq!(shown, (&json!(-0.25), &json!(671), &json!(true)));
        server.restart();
    }
    assert_eq!(server.get("/reading-type/pressure").expect(200), wanted);
}

#[test]
fn a_type_of_whole_numbers_refuses_fractions() {
    let server = TestServer::start();
    let body = json!({"minimum": -40, "maximum": 1_000_000, "integer": true});
    declare(&server, "steps", &body).expect(200);
    for value in [json!(-40), json!(1_000_000), json!(22.0)] {
        send(&server, "steps", value).expect(201);
    }
    let problem = send(&server, "steps", 22.5).expect_problem(422, "invalid");
    assert_eq!(problem["detail"], "value is 22.5, type `steps` takes whole numbers");
    let max = server.get("/devices/d/readings/max?type=steps").expect(200);
    assert_eq!(max["value"].to_string(), "1000000");
}

#[test]
fn many_different_values_are_answered_with_the_error_that_they_may_have() {
    let server = TestServer::start();
    declare(&server, "load", &json!({"minimum": 0, "maximum": 1000})).expect(200);
    let readings: Vec<Value> = (0..5_000)
        .map(|n| json!({"type": "load", "value": f64::from(n) / 7.0, "date_created": n}))
        .collect();
    server.post("/devices/d/readings", &json!(readings)).expect(200);
    let get = |statistic: &str| {
        server.get(&format!("/devices/d/readings/{statistic}?type=load&bins=4")).expect(200)
    };
    let summary = get("summary");
    assert_eq!((&summary["exact"], &summary["relative_error"]), (&json!(false), &json!(0.005)));
    assert_eq!(
        summary["max"],
        json!({"date_created": 4999, "device_uuid": "d", "type": "load", "value": 4999.0 / 7.0})
    );
    for inexact in ["median", "mode", "quartiles"] {
        assert_eq!(get(inexact)["relative_error"], 0.005, "{inexact}");
    }
    for exact in ["min", "max", "mean"] {
        assert_eq!(get(exact)["relative_error"], Value::Null, "{exact}");
    }
    let median = get("median")["value"].as_f64().unwrap();
    assert!((median / (2499.5 / 7.0) - 1.0).abs() <= 0.005, "{median}");
    let bins = summary["histogram"].as_array().unwrap();
    let counted: u64 = bins.iter().map(|bin| bin["count"].as_u64().unwrap()).sum();
    assert_eq!((bins.len(), counted), (4, 5_000));
}

#[test]
fn what_is_declared_again_must_be_the_same_once_it_has_readings() {
    let server = TestServer::start();
    let first = json!({"unit": "V", "minimum": 0, "maximum": 5, "integer": true});
    declare(&server, "voltage", &first).expect(200);
    let wider = json!({"unit": "V", "minimum": 0, "maximum": 12});
    assert_eq!(declare(&server, "voltage", &wider).expect(200)["maximum"], 12, "no readings yet");
    send(&server, "voltage", 11.5).expect(201);
    assert_eq!(declare(&server, "voltage", &wider).expect(200)["maximum"], 12, "the same");
    let volt = json!({"unit": "volt", "minimum": 0, "maximum": 12});
    declare(&server, "voltage", &volt).expect(200);
    let problem = declare(&server, "voltage", &first).expect_problem(409, "conflict");
    let wanted = "type `voltage` has readings, numbers from 0 to 12; declare another type";
    assert_eq!(problem["detail"], wanted);
    server.restart();
    let kept = server.get("/reading-type/voltage").expect(200);
    assert_eq!((&kept["unit"], &kept["maximum"]), (&json!("volt"), &json!(12)));
    assert_eq!(server.get("/devices/d/readings").expect(200)[0]["value"], 11.5);
}

#[test]
fn a_declaration_that_makes_no_sense_is_refused() {
    let server = TestServer::start();
    let cases = [
        (json!({}), vec!["/minimum", "/maximum"]),
        (json!({"minimum": 1, "maximum": 0}), vec!["/maximum"]),
        (json!({"minimum": 0.5, "maximum": 2, "integer": true}), vec!["/minimum"]),
        (json!({"minimum": 0, "maximum": 2.5, "integer": true}), vec!["/maximum"]),
        (json!({"minimum": "0", "maximum": 1}), vec!["/minimum"]),
        (json!({"minimum": 0, "maximum": 1, "integer": "no"}), vec!["/integer"]),
        (json!({"minimum": 0, "maximum": 1, "unit": "u".repeat(33)}), vec!["/unit"]),
        (json!({"minimum": 2, "maximum": 1, "unit": "u\n"}), vec!["/unit", "/maximum"]),
        (json!({"minimum": 0, "maximum": 1, "units": "V"}), vec!["/units"]),
    ];
    for (body, pointers) in cases {
        assert_eq!(declare(&server, "load", &body).expect_pointers(), pointers, "{body}");
    }
    let good = json!({"minimum": 0, "maximum": 1});
    let long = "x".repeat(65);
    for name in ["a%20b", long.as_str()] {
        declare(&server, name, &good).expect_problem(422, "invalid_parameter");
    }
    let broken = server.send("PUT", "/reading-type/load", &[], Some(b"{")).expect("an answer");
    broken.expect_problem(400, "not_json");
    assert_eq!(server.get("/reading-type").expect(200).as_array().unwrap().len(), 2);
    let delete = server.send("DELETE", "/reading-type/load", &[], None).expect("an answer");
    delete.expect_problem(405, "method_not_allowed");
    assert_eq!(delete.header("Allow"), Some("GET, PUT"));
}
