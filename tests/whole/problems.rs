//! Everything that is no success, in one shape.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::snapshot;
use canary_tests::{Answer, GZIP, JSON, TestServer};
use serde_json::{Value, json};

const NOBODY: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

/// A problem as pretty JSON, without what differs from request to request.
fn shown(mut problem: Value) -> String {
    problem["request_id"] = json!("[request_id]");
    serde_json::to_string_pretty(&problem).expect("JSON is shown as JSON")
}

fn send(server: &TestServer, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
    server.send(method, path, &[], body).expect("an answer")
}

#[test]
fn unknown_paths_and_wrong_methods_are_problems() {
    let server = TestServer::start();
    for path in ["/nothing", "/product/x/y", "/v1/product", "/release/a/b/c", "/problems/nothing"] {
        let problem = server.get(path).expect_problem(404, "unknown_path");
        assert!(!problem["detail"].as_str().unwrap().contains('\n'), "{problem}");
    }
    for (method, path) in [
        ("DELETE", "/product"),
        ("PUT", "/release"),
        ("GET", "/signal"),
        ("GET", "/signal/batch"),
        ("POST", "/version"),
        ("POST", "/release/etl/latest"),
        ("POST", "/openapi.json"),
    ] {
        let body: Option<&[u8]> = (method != "GET" && method != "DELETE").then_some(b"{}");
        send(&server, method, path, body).expect_problem(405, "method_not_allowed");
    }
}

#[test]
fn bodies_that_cannot_be_read_are_problems() {
    let server = TestServer::start();
    for path in ["/product", "/release", "/signal"] {
        for body in ["", "{", "hello", "{\"a\":1,}", "\u{0}", "{} x"] {
            server.post_bytes(path, &[JSON], body.as_bytes()).expect_problem(400, "not_json");
        }
        for body in ["[]", "1", "null", "\"text\"", "[\"a\",\"b\",\"c\"]"] {
            server.post_bytes(path, &[JSON], body.as_bytes()).expect_problem(422, "invalid");
        }
        server.post_bytes(path, &[JSON], &[b'{', b'"', 0xff, b'"']).expect_problem(400, "not_json");
        let packed = [JSON, GZIP];
        server.post_bytes(path, &packed, b"{}").expect_problem(400, "bad_gzip");
    }
    let packed = [JSON, GZIP];
    let cut_off = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab];
    for body in [b"[]".as_slice(), &cut_off, b""] {
        server.post_bytes("/signal/batch", &packed, body).expect_problem(400, "bad_gzip");
    }
}

#[test]
fn a_request_keeps_its_identifier_or_is_given_one() {
    let server = TestServer::start();
    for path in ["/version", "/nothing"] {
        let answer = server.get_with(path, &[("X-Request-Id", "my-request/1")]);
        assert_eq!(answer.header("X-Request-Id"), Some("my-request/1"));
    }
    let made =
        |path: &str| server.get(path).header("X-Request-Id").expect("one is made").to_owned();
    assert_ne!(made("/version"), made("/version"));
    let long = "x".repeat(129);
    for unfit in ["two words", "", long.as_str()] {
        let answer = server.get_with("/nothing", &[("X-Request-Id", unfit)]);
        let problem = answer.expect_problem(404, "unknown_path");
        assert_ne!(problem["request_id"], unfit);
    }
    let answer = server.get_with("/nothing", &[("X-Request-Id", "mine")]);
    assert_eq!(answer.expect_problem(404, "unknown_path")["request_id"], "mine");
}

#[test]
fn the_type_of_a_problem_leads_to_a_page_that_explains_it() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let problems = [
        server.get("/nothing"),
        server.get("/product/x"),
        server.get(&format!("/product/{NOBODY}")),
        server.get(&format!("/release/{NOBODY}")),
        server.get("/product?limit=0"),
        server.get("/reading-type/x"),
        server.get("/devices/d/readings/max"),
        server.get("/devices/d/readings/max?type=humidity"),
        server.post("/signal", &json!({})),
        product.signal("9", "ok").send(),
        product.release("0.0.1").send(),
        send(&server, "DELETE", "/product", None),
        server.post_bytes("/signal", &[JSON], b"{"),
        server.post_bytes("/signal", &[("Content-Type", "text/plain")], b"{}"),
        server.post_bytes("/signal", &[JSON], &vec![b' '; (1 << 20) + 1]),
        server.post_bytes("/signal", &[JSON, GZIP], b"{}"),
    ];
    let mut codes = Vec::new();
    for problem in problems {
        let body = problem.json();
        let code = body["code"].as_str().expect("a code").to_owned();
        problem.expect_problem(problem.status, &code);
        let page = server.get(body["type"].as_str().expect("a type"));
        assert_eq!(page.status, 200, "{code}");
        assert!(page.header("Content-Type").is_some_and(|kind| kind.starts_with("text/html")));
        assert!(page.text.contains(&code), "{code} in {}", page.text);
        codes.push(code);
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 16, "every problem has a code of its own: {codes:?}");
}

#[test]
fn a_head_that_is_no_http_does_not_end_the_server() {
    let server = TestServer::start();
    let address = server.url().trim_start_matches("http://").to_owned();
    for garbage in ["hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        stream.write_all(garbage.as_bytes()).expect("it is sent");
        let mut answer = Vec::new();
        // Whatever comes back, it ends.
        let _ = stream.read_to_end(&mut answer);
    }
    assert_eq!(server.get("/health/ready").status, 200);
}

#[test]
fn text_from_the_request_cannot_break_a_page_or_a_problem() {
    let server = TestServer::start();
    let name = "<script>alert(\"1\")</script>";
    server.get("/release/%3Cscript%3E/latest").expect_problem(404, "unknown_product");
    let product = server.product(name);
    product.release("<b>1</b>").with("is_canary", false).create();
    let page = server.get("/").text;
    assert!(!page.contains("<script>") && !page.contains("<b>1</b>"), "{page}");
    assert_eq!(product.latest()["product"]["name"], name);
}

#[test]
fn problems_are_as_they_were() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    server.post(&format!("/release/{canary}/promote"), &json!({})).expect(200);
    let rollback = server.post(&format!("/release/{canary}/rollback"), &json!({}));
    let problems = [
        ("unknown_path", server.get("/nothing")),
        ("method_not_allowed", send(&server, "DELETE", "/product", None)),
        ("not_json", server.post_bytes("/signal", &[JSON], b"{\"status\": oops}")),
        ("bad_gzip", server.post_bytes("/signal", &[GZIP], b"{}")),
        ("not_uuid", server.get("/product/etl")),
        ("unknown_product", server.get("/release/nobody/latest")),
        ("unknown_version", product.signal("9", "ok").send()),
        ("invalid_parameter", server.get("/product?limit=1001")),
        ("invalid_number", server.get("/product?limit=many")),
        ("unknown_status", product.signal("0.0.1", "great").send()),
        (
            "several_invalid",
            product.release("0.0.3").with("threshold", 101).with("band_count", 0).send(),
        ),
        ("unknown_field", product.release("0.0.3").with("treshold", 80).send()),
        ("missing_fields", server.post("/product", &json!({"name": "web"}))),
        ("taken", product.release("0.0.1").send()),
        ("unknown_type", server.post("/devices/d/readings", &json!({"type": "x", "value": 1}))),
        ("unknown_reading_type", server.get("/reading-type/x")),
        ("no_readings", server.get("/devices/d/readings/min?type=humidity")),
        ("missing_type", server.get("/devices/d/readings/mean")),
        ("conflict", rollback),
        (
            "unsupported_media_type",
            server.post_bytes("/signal", &[("Content-Type", "text/plain")], b"{}"),
        ),
    ];
    for (name, problem) in problems {
        snapshot(&format!("whole__problems__{name}"), &shown(problem.json()));
    }
}

#[test]
fn a_wrong_method_is_answered_with_the_right_ones() {
    let server = TestServer::start();
    let answer = send(&server, "DELETE", "/product", None);
    answer.expect_problem(405, "method_not_allowed");
    // RFC 9110, section 15.5.6: a 405 must have it.
    let allow = answer.header("Allow").expect("an Allow header");
    let mut methods: Vec<&str> = allow.split(',').map(str::trim).collect();
    methods.retain(|method| *method != "HEAD");
    methods.sort_unstable();
    assert_eq!(methods, ["GET", "POST"]);
}

#[test]
fn a_path_that_is_no_text_is_not_called_a_body() {
    let server = TestServer::start();
    for path in ["/release/%FF/latest", "/product/%FF", "/release/%C3%28/decisions"] {
        let answer = server.get(path);
        assert!(matches!(answer.status, 400 | 404 | 422), "{path}: {}", answer.text);
        let problem = answer.json();
        assert_ne!(problem["code"], "not_json", "{path}: {problem}");
    }
}

#[test]
fn a_field_that_comes_twice_is_named() {
    let server = TestServer::start();
    let body = br#"{"name":"a","name":"b","repository_url":"x","artifact_url":"y"}"#;
    let problem = server.post_bytes("/product", &[JSON], body).expect_problem(422, "invalid");
    assert_eq!(problem["detail"], "duplicate field `name`");
}
