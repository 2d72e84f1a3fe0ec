//! The server itself: version, health, pages, figures, and its own description.

use super::snapshot;
use canary_tests::{Answer, TestServer};
use serde_json::json;

fn is_html(answer: &Answer) -> bool {
    let content_type = answer.header("Content-Type").unwrap_or_default();
    answer.status == 200 && content_type.starts_with("text/html")
}

fn figure(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {metrics}")).parse().expect("a number")
}

#[test]
fn version_and_health_are_told() {
    let server = TestServer::start();
    let version = json!({"name": "canary", "version": env!("CARGO_PKG_VERSION")});
    assert_eq!(server.get("/version").expect(200), version);
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(server.get(path).expect(200), json!({"status": "ok", "waiting": 0}));
    }
}

#[test]
fn every_path_works_with_its_trailing_slash() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    for path in [
        "/version",
        "/health/live",
        "/health/ready",
        "/product",
        "/release",
        "/metrics",
        "/openapi.json",
        "/reading-type",
        "/reading-type/humidity",
        "/devices/d/readings",
        &format!("/product/{}", product.id),
        &format!("/product/{}/policy", product.id),
        &format!("/release/{canary}"),
        &format!("/release/{canary}/decisions"),
        &format!("/release/{canary}/analysis"),
        &product.latest_path(),
    ] {
        assert_eq!(server.get(&format!("{path}/")).status, 200, "{path}/");
    }
    let listed = server.get("/product/?limit=1000&name=etl").expect(200);
    assert_eq!(listed[0]["id"], product.id, "the query is kept");
    server.post("/signal/", &product.signal("0.0.1", "ok").body()).expect(201);
    let signals = json!([product.signal("0.0.1", "ok").body()]);
    server.post("/signal/batch/", &signals).expect(200);
}

#[test]
fn the_pages_are_there_and_whole() {
    let server = TestServer::start();
    for path in ["/", "/docs", "/docs/", "/redoc", "/redoc/"] {
        let page = server.get(path);
        assert!(is_html(&page), "{path}: {}", page.status);
        assert!(page.text.contains("</html>"), "{path}");
    }
}

#[test]
fn the_dashboard_shows_what_is_going_on() {
    let server = TestServer::start();
    let empty = server.get("/").text;
    assert!(empty.contains("No product yet"), "{empty}");
    let (product, _) = server.product_with_canary();
    product.report("0.0.2", "success", 7);
    let page = server.get("/").text;
    for shown in ["etl", "0.0.1", "0.0.2", "running", "1 of 5, 20 %", "7 ok, 0 failed"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
}

#[test]
fn figures_are_counted_as_prometheus_reads_them() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "success", 7);
    let same = product.signal("0.0.2", "ok").with("id", "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11");
    same.send().expect(201);
    same.send().expect(201);
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200);
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")));
    let metrics = answer.text;
    assert_eq!(figure(&metrics, "canary_signals_total"), 8);
    assert_eq!(figure(&metrics, "canary_duplicates_total"), 1);
    assert_eq!(figure(&metrics, "canary_products"), 1);
    assert_eq!(figure(&metrics, "canary_open_rollouts"), 1);
    assert_eq!(figure(&metrics, "canary_waiting"), 0);
    assert!(figure(&metrics, "canary_commits_total") >= 5);
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(metrics.contains(&format!("# HELP {name} ")), "{name}");
        assert!(metrics.contains(&format!("# TYPE {name} ")), "{name}");
    }
    server.post(&format!("/release/{canary}/promote"), &json!({})).expect(200);
    assert_eq!(figure(&server.get("/metrics").text, "canary_open_rollouts"), 0);
}

#[test]
fn the_openapi_document_is_as_it_was() {
    let server = TestServer::start();
    let mut document = server.get("/openapi.json").expect(200);
    // A new version of the program is no change of the contract.
    document["info"]["version"] = json!("[version]");
    let pretty = serde_json::to_string_pretty(&document).expect("JSON is shown as JSON");
    snapshot("whole__system__openapi", &pretty);
}

#[test]
fn every_operation_is_described_with_its_problems() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    let mut ids = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str();
            ids.push(id.unwrap_or_else(|| panic!("{method} {path} has no id")).to_owned());
            let summary = operation["summary"].as_str();
            assert!(summary.is_some_and(|text| !text.is_empty()), "{method} {path}");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
            for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
                let content = answer["content"].as_object().expect("a content");
                let is_health = path == "/health/ready";
                let is_problem =
                    content.keys().all(|kind| kind.starts_with("application/problem+json"));
                assert!(is_problem || is_health, "{method} {path} {status}: {answer}");
            }
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                let told = parameter["description"].as_str();
                assert!(told.is_some_and(|text| !text.is_empty()), "{method} {path}: {parameter}");
            }
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are unique");
    for wanted in ["create_signal", "create_signals", "get_latest_release", "list_products"] {
        assert!(ids.iter().any(|id| id == wanted), "{wanted} in {ids:?}");
    }
}

#[test]
fn every_field_is_described() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    let mut count = 0;
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        for (field, of) in schema["properties"].as_object().into_iter().flatten() {
            let told = of["description"].as_str();
            assert!(told.is_some_and(|text| !text.is_empty()), "{name}.{field}: {of}");
            count += 1;
        }
    }
    assert!(count > 200, "{count} fields");
}
