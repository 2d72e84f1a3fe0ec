//! How canaries are judged, as flags say it.

use canary_tests::TestServer;
use serde_json::json;

use crate::program::canary;

#[test]
fn the_policy_of_a_product_is_shown_set_and_reset() {
    let server = TestServer::start();
    let product = server.product("etl");
    let policy = |flags: &str| canary(&server, &format!("product policy etl {flags}"));
    let default = policy("").fine().to_owned();
    let first_lines = "rule                threshold\n\
        alpha               0.05\n\
        alpha_floor         0.01\n\
        alpha_measurements  -\n";
    assert!(default.starts_with(first_lines), "{default}");

    let set = policy("--min-signals 30 --judge-measurement latency_ms=high_is_bad");
    assert!(set.fine().contains("\nmin_signals         30 (default 1)\n"), "{}", set.text);
    assert!(set.text.contains("\nalpha_measurements  0.02\n"), "{}", set.text);
    // Alpha is lower than the part that the threshold had of it: that part follows.
    let both = policy("--alpha 0.005 --report-within 10m").fine().to_owned();
    assert_eq!(policy("").fine(), both);
    for line in [
        "alpha               0.005 (default 0.05)",
        "alpha_floor         0.001",
        "alpha_measurements  0.002",
        "min_signals         30 (default 1)",
        "report_within       10 min (default none)",
        "measurements        latency_ms (high_is_bad) (default none)",
    ] {
        assert!(both.lines().any(|each| each == line), "{line}\n{both}");
    }
    let stored = server.get(&format!("/product/{}/policy", product.id)).expect(200);
    assert_eq!((&stored["alpha"], &stored["report_within"]), (&json!(0.005), &json!(600.0)));

    let none = policy("--judge-measurement none --output json").json();
    assert_eq!(none["measurements"], json!({}));
    assert_eq!(none["min_signals"], 30);
    let other = policy("--reset --at-end hold --output json").json();
    assert_eq!((&other["at_end"], &other["min_signals"]), (&json!("hold"), &json!(1)));
    assert_eq!(policy("--reset").fine(), default);
}

#[test]
fn a_release_is_judged_as_its_flags_say_and_else_as_its_product() {
    let server = TestServer::start();
    let product = server.product("etl");
    canary(&server, "product policy etl --alpha 0.02 --min-signals 30").fine();
    let line = format!(
        "release create --artifact-url {} --semver-version 1.0.0 --min-signals 7 --early-promotion \
         -q 0.05 --holdback 0.1 --report-within 90s --judge-reading humidity=low_is_bad \
         --judge-measurement latency_ms=high_is_bad --output json",
        product.artifact_url
    );
    let id = canary(&server, &line).json()["id"].as_str().expect("an id").to_owned();
    let policy = server.release(&id)["policy"].clone();
    for (setting, want) in [
        ("alpha", json!(0.02)),
        ("min_signals", json!(7)),
        ("early_promotion", json!(true)),
        ("q", json!(0.05)),
        ("holdback", json!(0.1)),
        ("report_within", json!(90.0)),
        ("measurements", json!({"latency_ms": "high_is_bad"})),
        ("readings", json!({"humidity": "low_is_bad"})),
    ] {
        assert_eq!(policy[setting], want, "{setting}");
    }
    let shown = canary(&server, &format!("release show {id}"));
    assert!(shown.fine().contains("\npolicy         alpha 0.02, early_promotion yes, q 0.05,"));
    assert!(shown.text.lines().all(|line| line.chars().count() <= 80), "{}", shown.text);
}

#[test]
fn settings_that_cannot_be_are_refused_with_the_value_and_the_limit() {
    let server = TestServer::start();
    let product = server.product("etl");
    let create = |flags: &str| {
        let url = &product.artifact_url;
        let line = format!("release create --artifact-url {url} --semver-version 1 {flags}");
        canary(&server, &line)
    };
    let cases = [
        ("--alpha 2", 2, "alpha is 2, it must be from 0.000000001 to 0.5"),
        ("--at-end ask", 2, "'ask' for '--at-end <ACTION>'\n  [possible values: promote, hold,"),
        ("--report-within soon", 2, "of the form 90s, 10m, 2h or 1d, got `soon`"),
        ("--threshold 120", 2, "threshold is 120, it must be from 0 to 100 %"),
        (
            "--alpha 0.01 --alpha-floor 0.02",
            1,
            "alpha_floor (0.02) and alpha_measurements (0) together are more than alpha (0.01)",
        ),
    ];
    for (flags, code, want) in cases {
        let said = create(flags);
        assert!(said.refused(code).contains(want), "{flags}\n{}", said.complaint);
    }
    assert_eq!(server.get("/release").expect(200), json!([]));
    let said = canary(&server, "product policy etl --rho 1");
    assert!(said.refused(2).contains("rho is 1, it must be from 1.5 to 100"));
    let said = canary(&server, "product policy nothing");
    assert!(said.refused(1).contains("there is no product `nothing`"));
}
