//! Readings that are refused: with the reason, and with nothing stored that was not acknowledged.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use canary_tests::{GZIP, JSON, NDJSON, READINGS, TestServer, lines, packed, reading, readings};
use serde_json::json;

#[test]
fn what_cannot_be_accepted_is_refused_with_the_reason() {
    let server = TestServer::start();
    let cases: [(&str, &str, &str, &str); 24] = [
        (
            r#"{"value":1}"#,
            "invalid",
            "/type",
            "type is missing, declared are `temperature`, `humidity`",
        ),
        (r#"{"type":null,"value":1}"#, "invalid", "/type", "type is missing, declared are"),
        (r#"{"type":7,"value":1}"#, "invalid", "/type", "expected a string"),
        (
            r#"{"type":"pressure","value":1}"#,
            "unknown_type",
            "/type",
            "type `pressure` is unknown, declared are `temperature`, `humidity`",
        ),
        (
            r#"{"type":"Temperature","value":1}"#,
            "unknown_type",
            "/type",
            "type `Temperature` is unknown",
        ),
        (r#"{"type":"","value":1}"#, "unknown_type", "/type", "type `` is unknown"),
        (r#"{"type":"temperature"}"#, "invalid", "/value", "value is missing"),
        (r#"{"type":"temperature","value":null}"#, "invalid", "/value", "value is missing"),
        (
            r#"{"type":"temperature","value":"22"}"#,
            "invalid",
            "/value",
            "value: invalid type: string \"22\", expected a number",
        ),
        (r#"{"type":"temperature","value":true}"#, "invalid", "/value", "expected a number"),
        (r#"{"type":"temperature","value":[22]}"#, "invalid", "/value", "expected a number"),
        (
            r#"{"type":"temperature","value":22.5}"#,
            "invalid",
            "/value",
            "value is 22.5, type `temperature` takes whole numbers",
        ),
        (
            r#"{"type":"temperature","value":101}"#,
            "invalid",
            "/value",
            "value is 101, it must be from 0 to 100",
        ),
        (
            r#"{"type":"humidity","value":-1}"#,
            "invalid",
            "/value",
            "value is -1, it must be from 0 to 100",
        ),
        (r#"{"type":"humidity","value":1e300}"#, "invalid", "/value", "it must be from 0 to 100"),
        (r#"{"type":"humidity","value":1e999}"#, "invalid", "", "number out of range"),
        (
            r#"{"type":"temperature","value":1,"date_created":-1}"#,
            "invalid",
            "/date_created",
            "date_created is -1, it must be from 0 to 4294967295 seconds since 1970",
        ),
        (
            r#"{"type":"temperature","value":1,"date_created":4294967296}"#,
            "invalid",
            "/date_created",
            "date_created is 4294967296",
        ),
        (
            r#"{"type":"temperature","value":1,"date_created":1.5}"#,
            "invalid",
            "/date_created",
            "expected whole seconds since 1970",
        ),
        (
            r#"{"type":"temperature","value":1,"date_created":"now"}"#,
            "invalid",
            "/date_created",
            "expected whole seconds since 1970",
        ),
        (
            r#"{"type":"temperature","value":1,"version":"a b"}"#,
            "invalid",
            "/version",
            "version `a b` has an invisible character",
        ),
        (
            r#"{"type":"temperature","value":1,"vlaue":2}"#,
            "invalid",
            "/vlaue",
            "did you mean `value`?",
        ),
        (r#"{"type":"temperature","value":1,"value":2}"#, "invalid", "", "duplicate field `value`"),
        ("22", "invalid", "", "the body must be a JSON object"),
    ];
    for (body, code, pointer, detail) in cases {
        let problem = server.post_bytes(READINGS, &[], body.as_bytes()).expect_problem(422, code);
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{body}: {told}");
        if !pointer.is_empty() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        }
    }
    for body in
        ["", " ", "{", "hello", r#"{"type":"temperature","value":1,}"#, "{} x", "\u{feff}{}"]
    {
        server.post_bytes(READINGS, &[], body.as_bytes()).expect_problem(400, "not_json");
    }
    server
        .post_bytes(READINGS, &[], b"{\"type\":\"\xff\",\"value\":1}")
        .expect_problem(400, "not_json");
    server.post_bytes(READINGS, &[GZIP], b"{}").expect_problem(400, "bad_gzip");
    for other in [NDJSON, ("Content-Type", "text/plain")] {
        server
            .post_bytes(READINGS, &[other], reading(1, 1).to_string().as_bytes())
            .expect_problem(415, "unsupported_media_type");
    }
    assert_eq!(server.get(READINGS).expect(200), json!([]), "nothing of it was stored");
}

#[test]
fn an_array_with_a_fault_in_it_is_refused_whole_and_lines_one_by_one() {
    let server = TestServer::start();
    let (one, two) = (reading(1, 1).to_string(), reading(2, 2).to_string());
    for body in [
        String::new(),
        "[".to_owned(),
        format!("[{one}"),
        format!("[{one},"),
        format!("[{one},]"),
        format!("[{one} {two}]"),
        format!("[,{one}]"),
        format!("[{one}]]"),
        format!("[{one}],{two}"),
        format!("[{one}, {{\"device_uuid\": oops}}]"),
        format!("[{one}, {{\"device_uuid\": \"d\"]"),
        format!("[{one}, {}]", &two[..two.len() - 1]),
        format!("{one}\n{two}"),
        "oops".to_owned(),
    ] {
        let problem = server.post_bytes("/readings", &[JSON], body.as_bytes());
        let problem = problem.expect_problem(400, "not_json");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("at line ") || body.is_empty(), "{body}: {detail}");
    }
    for body in ["{}", &one, "1", "null", "\"text\"", "[]", " [ ] "] {
        server.post_bytes("/readings", &[JSON], body.as_bytes()).expect_problem(422, "invalid");
    }
    let no_text = [b"[\"".as_slice(), b"\xff", b"\"]"].concat();
    server.post_bytes("/readings", &[JSON], &no_text).expect_problem(400, "not_json");
    assert_eq!(server.count_temperatures(), 0);

    for nothing in ["", "\n\n", "  \r\n"] {
        server
            .post_bytes("/readings", &[NDJSON], nothing.as_bytes())
            .expect_problem(422, "invalid");
    }
    let spoilt = two.replace("device-2", "\u{1}");
    let body = format!("{one}\n\n{}\noops\n{spoilt}\n{one} {two}\n{two}\n", &two[..20]);
    let mut body = body.into_bytes();
    body.extend(b"{\"device_uuid\":\"\xff\"}\n");
    let outcome = server.post_bytes("/readings", &[NDJSON], &body).expect(200);
    let rejected: Vec<String> = outcome["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["index"], one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(outcome["accepted"], 2);
    let wanted = ["1 not_json", "2 not_json", "3 not_json", "4 not_json", "6 not_json"];
    assert_eq!(rejected, wanted);
    assert_eq!(server.count_temperatures(), 2);
}

#[test]
fn the_limits_of_a_body_are_told() {
    let server = TestServer::start();
    let line = reading(1, 1).to_string();
    let many = |count: usize| vec![line.as_str(); count].join(",");
    let outcome =
        server.post_bytes("/readings", &[JSON], format!("[{}]", many(100_000)).as_bytes());
    assert_eq!(outcome.expect(200), json!({"accepted": 100_000, "rejected": []}));
    let too_many = format!("[{}]", many(100_001));
    let problem = server.post_bytes("/readings", &[JSON], too_many.as_bytes());
    let detail = problem.expect_problem(422, "invalid")["detail"].clone();
    assert_eq!(detail, "the body must have from 1 to 100000 readings");
    let lines = too_many.trim_matches(['[', ']']).replace("},", "}\n");
    for (headers, body) in
        [(&[NDJSON][..], lines.clone().into_bytes()), (&[NDJSON, GZIP], packed(&lines))]
    {
        server.post_bytes("/readings", headers, &body).expect_problem(422, "invalid");
    }
    let large = " ".repeat((32 << 20) + 1);
    for (headers, body) in [(&[JSON][..], large.clone().into_bytes()), (&[GZIP], packed(&large))] {
        server.post_bytes("/readings", headers, &body).expect_problem(413, "body_too_large");
    }
    for body in [b"[]".as_slice(), b"", &packed(&lines)[..1000]] {
        server.post_bytes("/readings", &[GZIP], body).expect_problem(400, "bad_gzip");
    }
    assert_eq!(server.count_temperatures(), 1);
}

#[test]
fn a_body_that_ends_too_early_stores_nothing() {
    let server = TestServer::start();
    let address = server.url().trim_start_matches("http://").to_owned();
    let text = lines(&readings(2_000));
    let send = |content_type: &str, head: &str, body: &str| {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        let head = format!(
            "POST /readings HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{head}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("it is sent");
        stream.write_all(body.as_bytes()).expect("it is sent");
        stream.shutdown(std::net::Shutdown::Write).expect("no more is sent");
        let mut answer = String::new();
        // Whatever comes back, it ends.
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains(" 200 "), "{answer}");
    };
    let length = format!("Content-Length: {}", text.len() + 1);
    send("application/x-ndjson", &length, &text);
    let array = json!(readings(5)).to_string();
    send("application/json", &format!("Content-Length: {}", array.len() + 1), &array);
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    send("application/x-ndjson", "Transfer-Encoding: chunked", &chunk);
    assert_eq!(server.count_temperatures(), 0);
    assert_eq!(server.post_readings(&readings(5)).expect(200)["accepted"], 5);
    assert_eq!(server.count_temperatures(), 5);
}

#[test]
fn what_is_older_than_readings_are_kept_is_refused() {
    let server = TestServer::keeping_readings(1);
    let now = 1_672_569_000;
    let of =
        |at: i64| json!({"device_uuid": "d", "type": "humidity", "value": 1, "date_created": at});
    let outcome = server.post_readings(&[of(now), of(now - 86_400), of(now - 86_401)]).expect(200);
    let rejected = json!([{
        "index": 2, "code": "too_old",
        "detail": "date_created is 1672482599, readings before 1672482600 are no longer kept",
    }]);
    assert_eq!(outcome, json!({"accepted": 2, "rejected": rejected}));
    let late = json!({"type": "humidity", "value": 1, "date_created": 1});
    let problem = server.post("/devices/d/readings", &late).expect_problem(422, "too_old");
    assert_eq!(problem["errors"][0]["pointer"], "/date_created");
}
