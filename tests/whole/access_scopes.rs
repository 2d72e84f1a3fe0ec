//! Every scope against every operation of the OpenAPI document.

use canary_tests::{Answer, Http, JSON, TestServer};
use serde_json::Value;

const SCOPES: [&str; 5] = ["read", "signal", "release", "rollback", "admin"];

/// Which of the scopes suffice for an operation; nothing if it needs none. Written down here once
/// more, so that a change of the table has to be meant.
fn suffice(method: &str, path: &str) -> Option<&'static [&'static str]> {
    let is_reading = path.starts_with("/devices/") || path == "/readings";
    match (method, path) {
        ("GET", "/version" | "/health/live" | "/health/ready") => None,
        (_, "/organization" | "/key" | "/key/{id}" | "/key/{id}/rotate" | "/audit") => {
            Some(&["admin"])
        }
        ("POST", "/release/{id}/rollback") => Some(&["rollback", "admin"]),
        ("GET", "/release/{product}/latest" | "/reading-type" | "/reading-type/{name}") => {
            Some(&SCOPES)
        }
        ("POST", "/signal" | "/signal/batch") => Some(&["signal", "admin"]),
        ("POST", _) if is_reading => Some(&["signal", "admin"]),
        ("POST", "/release/{id}/simulate") | ("GET", _) => {
            Some(&["read", "release", "rollback", "admin"])
        }
        _ => Some(&["release", "admin"]),
    }
}

/// Every operation: method, and path with its parameters.
fn operations(http: &Http) -> Vec<(String, String, Value)> {
    let document = http.get("/openapi.json").expect(200);
    let paths = document["paths"].as_object().expect("paths").clone();
    let operations = paths.into_iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").clone();
        methods.into_iter().map(move |(method, told)| (method.to_uppercase(), path.clone(), told))
    });
    operations.collect()
}

/// A path without parameters: of what there is not.
fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Sends nothing that could change anything: bodies are empty objects.
fn send(http: &Http, method: &str, path: &str) -> Answer {
    let body: Option<&[u8]> = matches!(method, "POST" | "PUT").then_some(b"{}");
    http.send(method, &filled(path), &[JSON], body).expect("an answer")
}

#[test]
fn every_scope_opens_what_it_is_for_and_nothing_else() {
    let server = TestServer::start();
    let keys: Vec<(&str, Http)> =
        SCOPES.iter().map(|scope| (*scope, server.key("default", &[scope]))).collect();
    let operations = operations(&server);
    assert!(operations.len() >= 40, "{}", operations.len());
    for (method, path, _) in &operations {
        let allowed = suffice(method, path);
        let without = send(&server, method, path);
        if allowed.is_some() {
            without.expect_problem(401, "unauthorized");
        } else {
            assert_eq!(without.status, 200, "{method} {path}");
        }
        for (scope, http) in &keys {
            let answer = send(http, method, path);
            let is_allowed = allowed.is_none_or(|allowed| allowed.contains(scope));
            if is_allowed {
                assert!(
                    !matches!(answer.status, 401 | 403 | 405 | 500..),
                    "{scope}: {method} {path}: {}",
                    answer.text
                );
            } else {
                let problem = answer.expect_problem(403, "forbidden");
                let detail = problem["detail"].as_str().expect("a detail");
                assert!(detail.ends_with(&format!("the key has {scope}")), "{detail}");
                let named = SCOPES.iter().filter(|named| detail.contains(&format!("`{named}`")));
                let named: Vec<&&str> = named.collect();
                let allowed = allowed.unwrap_or_default();
                assert!(!named.is_empty(), "{detail}");
                assert!(named.iter().all(|named| allowed.contains(named)), "{detail}");
            }
        }
    }
}

#[test]
fn a_key_with_several_scopes_may_do_what_each_of_them_may() {
    let server = TestServer::start();
    for scopes in [["read", "signal"], ["release", "rollback"], ["signal", "rollback"]] {
        let http = server.key("default", &scopes);
        for (method, path, _) in operations(&server) {
            let allowed = suffice(&method, &path);
            let is_allowed =
                allowed.is_none_or(|allowed| scopes.iter().any(|scope| allowed.contains(scope)));
            let status = send(&http, &method, &path).status;
            assert_eq!(status != 403, is_allowed, "{scopes:?}: {method} {path}");
        }
    }
}

#[test]
fn rolling_back_is_a_right_of_its_own() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let product = canary_tests::Product::register(&admin, "etl");
    product.release("0.0.1").with("is_canary", false).create();
    let canary = product.release("0.0.2").create();
    let releaser = server.key("default", &["release"]);
    let operator = server.key("default", &["rollback"]);
    releaser.act(&canary, "rollback").expect_problem(403, "forbidden");
    for action in ["promote", "pause", "resume"] {
        operator.act(&canary, action).expect_problem(403, "forbidden");
    }
    assert_eq!(admin.release(&canary)["state"], "running", "nothing has changed");
    releaser.act(&canary, "pause").expect(200);
    operator.act(&canary, "rollback").expect(200);
    assert_eq!(operator.release(&canary)["state"], "rolled_back");
}

#[test]
fn the_document_says_what_each_operation_needs() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").expect(200);
    assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    for (method, path, told) in operations(&server) {
        let allowed = suffice(&method, &path);
        let security = told["security"].as_array().expect("security");
        assert_eq!(security.is_empty(), allowed.is_none(), "{method} {path}");
        let Some(allowed) = allowed else { continue };
        let text = told["description"].as_str().expect("a description");
        let needs = text.rsplit("A key needs ").next().expect("a sentence");
        assert!(allowed.iter().any(|scope| needs.contains(&format!("`{scope}`"))), "{text}");
        for status in ["401", "403"] {
            assert!(told["responses"][status]["content"].is_object(), "{method} {path} {status}");
        }
    }
    for page in ["/docs", "/redoc"] {
        assert!(server.get(page).text.contains("A key needs the scope `rollback`."), "{page}");
    }
}
