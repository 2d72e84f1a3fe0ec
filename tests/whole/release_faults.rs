//! Releases that are refused: with every wrong value, and the limit that it breaks.

use canary_tests::TestServer;
use serde_json::{Value, json};

const NOBODY: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

#[test]
fn unknown_products_and_known_versions_are_refused() {
    let server = TestServer::start();
    let product = server.product("etl");
    let body = json!({"artifact_url": "https://nobody", "semver_version": "1"});
    server.post("/release", &body).expect_problem(404, "unknown_product");
    product.release("1").create();
    let problem = product.release("1").send().expect_problem(409, "taken");
    assert_eq!(problem["detail"], "version `1` of `etl` is already registered");
    server.product("web").release("1").create();
    server.restart();
    product.release("1").send().expect_problem(409, "taken");
}

#[test]
fn every_value_out_of_range_is_named_with_its_limit() {
    let server = TestServer::start();
    let product = server.product("etl");
    let cases = [
        ("semver_version", json!(""), "semver_version is empty, it needs 1 to 128 characters"),
        (
            "semver_version",
            json!("v".repeat(129)),
            "semver_version has 129 characters, at most 128 are accepted",
        ),
        (
            "semver_version",
            json!("1 0"),
            "semver_version `1 0` has an invisible character at position 2, only visible ones are accepted",
        ),
        ("threshold", json!(-0.1), "threshold is -0.1, it must be from 0 to 100 %"),
        ("threshold", json!(100.1), "threshold is 100.1, it must be from 0 to 100 %"),
        ("canary_period", json!(0), "canary_period is 0, it must be from 0.000001 to 3650 days"),
        (
            "canary_period",
            json!(3651),
            "canary_period is 3651, it must be from 0.000001 to 3650 days",
        ),
        ("band_count", json!(0), "band_count is 0, it must be from 1 to 100 bands"),
        ("band_count", json!(101), "band_count is 101, it must be from 1 to 100 bands"),
        (
            "release_date",
            json!("tomorrow"),
            "release_date `tomorrow` is not a time, write it as RFC 3339: 2026-01-31T12:00:00Z",
        ),
        ("policy/rule", json!("luck"), "rule `luck` is unknown, accepted are threshold, ratio"),
        (
            "policy/min_signals",
            json!(-1),
            "min_signals is -1, it must be from 0 to 1000000 signals",
        ),
        (
            "policy/on_insufficient",
            json!("wait"),
            "on_insufficient `wait` is unknown, accepted are hold, promote, rollback",
        ),
        (
            "policy/on_supersede",
            json!("keep"),
            "on_supersede `keep` is unknown, accepted are promote_if_healthy, abort, reject",
        ),
    ];
    for (field, value, detail) in cases {
        let (name, value) = match field.split_once('/') {
            Some((outer, inner)) => (outer, json!({inner: value})),
            None => (field, value),
        };
        let problem = product.release("1").with(name, value).send().expect_problem(422, "invalid");
        let wanted = json!([{"pointer": format!("/{field}"), "detail": detail}]);
        assert_eq!(problem["errors"], wanted, "{field}");
        assert_eq!(problem["detail"], detail);
    }
    assert_eq!(server.get("/release").expect(200), json!([]));
}

#[test]
fn several_wrong_values_are_named_at_once_and_wrong_types_too() {
    let server = TestServer::start();
    let product = server.product("etl");
    let problem = product
        .release("1")
        .with("threshold", 101)
        .with("band_count", 0)
        .with("policy", json!({"rule": "luck"}))
        .send()
        .expect_problem(422, "invalid");
    let pointers: Vec<&Value> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/threshold", "/band_count", "/policy/rule"]);
    assert_eq!(
        problem["detail"],
        "threshold is 101, it must be from 0 to 100 %; 2 more values cannot be accepted"
    );
    for (field, value) in [
        ("threshold", json!("high")),
        ("band_count", json!(2.5)),
        ("is_canary", json!("yes")),
        ("policy", json!([])),
    ] {
        let problem = product.release("1").with(field, value).send().expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{problem}");
    }
    let pointers = server.post("/release", &json!({})).expect_pointers();
    assert_eq!(pointers, ["/artifact_url", "/semver_version"]);
}

#[test]
fn an_unknown_field_names_the_nearest_known_one() {
    let server = TestServer::start();
    let product = server.product("etl");
    for (body, pointer, nearest) in [
        (product.release("1").with("treshold", 90), "/treshold", "threshold"),
        (product.release("1").with("bandcount", 3), "/bandcount", "band_count"),
        (
            product.release("1").with("policy", json!({"min_signal": 3})),
            "/policy/min_signal",
            "min_signals",
        ),
    ] {
        let problem = body.send().expect_problem(422, "invalid");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("did you mean `{nearest}`?")), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[test]
fn unknown_releases_are_404_and_no_uuid_is_400() {
    let server = TestServer::start();
    for tail in ["", "/decisions"] {
        server.get(&format!("/release/{NOBODY}{tail}")).expect_problem(404, "unknown_release");
        server.get(&format!("/release/1.0{tail}")).expect_problem(400, "not_uuid");
    }
    for action in ["promote", "rollback", "pause", "resume"] {
        server.act(NOBODY, action).expect_problem(404, "unknown_release");
        server.act("1.0", action).expect_problem(400, "not_uuid");
    }
}
