//! What the judge sees of a canary, while it runs and when it has ended, and what is missing for a
//! verdict.

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

const NOBODY: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Runs of both versions: 0.0.2 succeeds in 8 of 10, 0.0.1 in 38 of 40.
fn report_some(product: &Product) {
    let runs = product.runs().of("0.0.1", "success", 20).of("0.0.2", "success", 4);
    let runs = runs.of("0.0.1", "failed", 2).of("0.0.2", "failed", 2).of("0.0.1", "skipped", 3);
    runs.of("0.0.1", "success", 18).of("0.0.2", "success", 4).of("0.0.2", "skipped", 1).send();
}

/// A canary half a day after it came, in its second band, and what is shown of it.
fn half_a_day_old(server: &TestServer) -> (String, Value) {
    let (product, canary) = server.product_with_canary();
    report_some(&product);
    server.pass_days(0.5);
    server.decided(&canary, "advance");
    product.runs().of("0.0.1", "success", 1).send();
    let shown = server.analysis(&canary);
    (canary, shown)
}

#[test]
fn a_running_canary_is_shown_with_its_runs() {
    let server = TestServer::start();
    let (id, shown) = half_a_day_old(&server);
    assert_eq!(
        fields(&shown).join(" "),
        "release stable_version at band share canary stable unreported bands findings outlook \
         comparisons verdict"
    );
    assert_eq!(shown["release"], json!({"id": id, "semver_version": "0.0.2", "state": "running"}));
    let several = ["stable_version", "at", "band", "share", "verdict"].map(|field| &shown[field]);
    assert_eq!(json!(several), json!(["0.0.1", "2023-01-01T22:30:00Z", 2, 0.4, null]));
    assert_eq!(shown["bands"], server.release(&id)["bands"]);
    assert_eq!(shown["bands"][0]["stable"], json!({"success": 38, "failed": 2}));
    assert_eq!(shown["bands"][1]["stable"], json!({"success": 1, "failed": 0}));

    let canary = &shown["canary"];
    let counts = ["success", "failed", "neutral", "success_rate"].map(|field| &canary[field]);
    assert_eq!(json!(counts), json!([8, 2, 1, 80.0]));
    // As R's binom.test prints them.
    let near = |field: &str, want: f64| (canary[field].as_f64().unwrap() - want).abs() < 1e-3;
    assert!(near("success_rate_low", 44.3904) && near("success_rate_high", 97.4789), "{canary}");
    assert_eq!(shown["stable"]["neutral"], 3);
    let rates = &shown["comparisons"]["failure_rate"];
    assert_eq!(json!([rates["canary"], rates["stable"]]), json!([0.2, 2.0 / 41.0]));
}

#[test]
fn a_running_canary_is_shown_with_what_the_rules_have_found_and_what_is_missing() {
    let server = TestServer::start();
    let (_, shown) = half_a_day_old(&server);
    let findings = &shown["findings"];
    assert_eq!(fields(findings), ["threshold", "baseline", "measurements", "proof"]);
    assert_eq!(json!([findings["measurements"], findings["proof"]]), json!([[], null]));
    assert_eq!(
        fields(&findings["baseline"]),
        ["rho0", "odds", "weights", "logs", "open_block", "test"]
    );
    let a_new_block_for_a_new_share =
        json!({"canary_runs": 0, "canary_failed": 0, "stable_runs": 1, "stable_failed": 0});
    assert_eq!(findings["baseline"]["open_block"], a_new_block_for_a_new_share);
    let outlook = &shown["outlook"];
    assert_eq!(
        json!([outlook["signals_missing"], outlook["successes_to_promotion"]]),
        json!([0, null])
    );
    assert!(outlook["sentence"].as_str().is_some_and(|text| !text.is_empty()), "{outlook}");
}

#[test]
fn a_canary_that_has_ended_is_shown_as_it_was_seen_last() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    report_some(&product);
    let slow = product.run("0.0.2", "failed").with("measurements", json!({"ms": 7}));
    let quick = product.run("0.0.1", "success").with("measurements", json!({"ms": 5}));
    product.runs().and(&quick).and(&quick).and(&slow).and(&slow).send();
    product.runs().of("0.0.2", "failed", 20).send();
    let shown = server.analysis(&canary);
    let verdict = &server.release(&canary)["verdict"];
    assert_eq!(&shown["verdict"], verdict);
    assert_eq!(
        (&shown["release"]["state"], &shown["outlook"]),
        (&json!("rolled_back"), &Value::Null)
    );
    for seen in ["band", "share", "canary", "stable", "unreported", "findings"] {
        assert_eq!(shown[seen], verdict["evidence"][seen], "{seen}");
    }
    let compared = &shown["comparisons"]["measurements"][0];
    assert_eq!(
        (&compared["canary"]["count"], &compared["stable"]["count"]),
        (&json!(2), &json!(2))
    );

    // What comes later is no part of it: not in the same moment, nor days after.
    for _ in 0..2 {
        product.runs().and(&slow).and(&quick).of("0.0.1", "failed", 5).send();
        server.pass_days(1.0);
        let mut later = server.analysis(&canary);
        later["at"] = shown["at"].clone();
        assert_eq!(later, shown);
        server.restart();
    }
}

#[test]
fn the_runs_of_the_stable_version_before_the_canary_are_no_part_of_its_comparison() {
    let server = TestServer::start();
    let product = server.product("etl");
    product.release("0.0.1").with("is_canary", false).create();
    let run = |version: &str, ms: u32| {
        product.run(version, "success").with("measurements", json!({"ms": ms}))
    };
    (0..50).fold(product.runs(), |all, _| all.and(&run("0.0.1", 1_000))).send();
    // In the very moment in which they were reported.
    let canary = product.release("0.0.2").create();
    let beside = (0..4).fold(product.runs(), |all, ms| all.and(&run("0.0.1", ms)));
    beside.and(&run("0.0.2", 5)).and(&run("0.0.2", 6)).and(&run("0.0.1", 7)).send();
    let compared = &server.analysis(&canary)["comparisons"]["measurements"][0];
    assert_eq!(
        (&compared["stable"]["count"], &compared["stable"]["maximum"]),
        (&json!(5), &json!(7.0))
    );
    let simulated = server.simulate(&canary, &json!({})).expect(200);
    assert_eq!((&simulated["runs"], &simulated["stable"]["success"]), (&json!(7), &json!(5)));
}

#[test]
fn a_canary_that_became_stable_again_later_is_shown_as_it_was_when_it_was_a_canary() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    report_some(&product);
    server.pass_days(2.0);
    let verdict = server.decided(&canary, "promote");
    let shown = server.analysis(&canary);
    let stable = product.release("0.0.3").with("is_canary", false).create();
    server.pass_days(1.0);
    product.runs().of("0.0.3", "success", 3).send();
    server.act(&canary, "promote").expect(200);
    assert_eq!(server.release(&stable)["state"], "retired");
    let later = server.analysis(&canary);
    assert_eq!((&later["verdict"], &later["canary"]), (&verdict, &shown["canary"]));
    assert_eq!(server.release(&canary)["verdict"], verdict);
    assert_eq!(later["comparisons"], shown["comparisons"]);
}

#[test]
fn the_first_release_of_a_product_has_nothing_to_be_compared_with() {
    let server = TestServer::start();
    let product = server.product("etl");
    let first = product.release("0.0.1").create();
    let run = product.run("0.0.1", "success").with("measurements", json!({"ms": 5}));
    product.runs().of("0.0.1", "success", 9).and(&run).send();
    let shown = server.analysis(&first);
    assert_eq!((&shown["stable_version"], &shown["canary"]["success"]), (&Value::Null, &json!(10)));
    assert_eq!(shown["comparisons"], json!({"failure_rate": null, "measurements": []}));
    assert_eq!(shown["findings"]["baseline"]["logs"], json!([0.0, 0.0, 0.0, 0.0, 0.0]));
    let missing = shown["outlook"]["failures_to_rollback"].as_u64().unwrap() as usize;
    product.runs().of("0.0.1", "failed", missing - 1).send();
    assert_eq!(server.release(&first)["state"], "running");
    product.runs().of("0.0.1", "failed", 1).send();
    assert_eq!(server.release(&first)["state"], "rolled_back");
}

#[test]
fn what_never_was_a_canary_or_is_not_there_is_not_analysed() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let stable = product.release("0.0.3").with("is_canary", false).create();
    let inactive = product.release("0.0.4").with("is_active", false).create();
    for (id, state) in [(&stable, "stable"), (&inactive, "retired")] {
        for answer in
            [server.get(&format!("/release/{id}/analysis")), server.simulate(id, &json!({}))]
        {
            let problem = answer.expect_problem(409, "conflict");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("is {state} and never was a canary")), "{detail}");
        }
    }
    for (id, status, code) in [(NOBODY, 404, "unknown_release"), ("0.0.2", 400, "not_uuid")] {
        server.get(&format!("/release/{id}/analysis")).expect_problem(status, code);
        server.simulate(id, &json!({})).expect_problem(status, code);
    }
}

/// What the stable version is taken to run beside each run of the canary, by the share.
fn beside(product: &Product, share: f64, status: &str, times: u64) {
    let stable = ((1.0 - share) / share).round() as usize;
    let all = (0..times)
        .fold(product.runs(), |all, _| all.of("0.0.1", "success", stable).of("0.0.2", status, 1));
    all.send();
}

/// Under which policy a canary has run how often, and after how many days it is looked at.
struct History {
    name: &'static str,
    policy: Value,
    success: usize,
    failed: usize,
    days: f64,
}

fn histories() -> Vec<History> {
    let history =
        |name, policy, success, failed, days| History { name, policy, success, failed, days };
    let by_ratio = json!({"rule": "ratio", "min_signals": 20, "rho0": 100});
    vec![
        history("nothing yet", json!({}), 0, 0, 0.0),
        history("one failed", json!({}), 0, 1, 0.0),
        history("200 succeeded", json!({}), 200, 0, 0.0),
        history("12 of 200 failed", json!({}), 188, 12, 0.0),
        history("200 succeeded, to the end", json!({}), 200, 0, 1.7),
        history("held back", json!({"holdback": 0.5}), 50, 2, 1.7),
        history("the plain ratio", by_ratio, 9, 1, 0.0),
        history("alpha for one", json!({"alpha_floor": 0.05}), 9, 1, 0.0),
    ]
}

#[test]
fn exactly_as_many_failures_as_it_says_roll_the_canary_back() {
    let server = TestServer::start();
    for History { name, policy, success, failed, days } in histories() {
        let product = server.product(name);
        product.release("0.0.1").with("is_canary", false).create();
        let canary = product.release("0.0.2").with("policy", policy).create();
        let runs = product.runs().of("0.0.1", "success", 40);
        runs.of("0.0.2", "success", success).of("0.0.2", "failed", failed).send();
        server.pass_days(days);
        let analysis = server.analysis(&canary);
        let (share, outlook) = (analysis["share"].as_f64().unwrap(), &analysis["outlook"]);
        let missing = outlook["failures_to_rollback"].as_u64();
        let missing = missing.filter(|missing| *missing > 0).unwrap_or_else(|| panic!("{outlook}"));

        beside(&product, share, "failed", missing - 1);
        assert_eq!(server.release(&canary)["state"], "running", "{name}: {missing} failures");
        let still_missing = || server.analysis(&canary)["outlook"]["failures_to_rollback"].clone();
        assert_eq!(still_missing(), 1, "{name}");
        beside(&product, share, "failed", 1);
        if server.release(&canary)["state"] == "running" {
            // They will do as soon as the stable version has run beside them.
            assert_eq!(still_missing(), 0, "{name}");
            product.runs().of("0.0.1", "success", 4).send();
        }
        assert_eq!(server.release(&canary)["state"], "rolled_back", "{name}: {missing} failures");
    }
}

#[test]
fn exactly_as_many_successes_as_it_says_promote_the_canary() {
    let server = TestServer::start();
    let cases = [
        ("by itself", json!({"early_promotion": true, "q": 0.1}), 0),
        ("after failures", json!({"early_promotion": true, "q": 0.1}), 2),
        ("with many to come", json!({"early_promotion": true, "q": 0.5, "min_signals": 100}), 0),
    ];
    for (name, policy, failed) in cases {
        let product = server.product(name);
        product.release("0.0.1").with("is_canary", false).create();
        let canary = product.release("0.0.2").with("policy", policy).create();
        product
            .runs()
            .of("0.0.1", "failed", 4)
            .of("0.0.1", "success", 36)
            .of("0.0.2", "failed", failed)
            .send();
        let outlook = &server.analysis(&canary)["outlook"];
        let missing = outlook["successes_to_promotion"].as_u64();
        let missing = missing.unwrap_or_else(|| panic!("{name}: {outlook}"));
        beside(&product, 0.2, "success", missing - 1);
        assert_eq!(server.release(&canary)["state"], "running", "{name}: {missing} successes");
        beside(&product, 0.2, "success", 1);
        assert_eq!(server.decided(&canary, "promote")["rule"], "early_promotion", "{name}");
    }
    let (product, canary) = server.product_with_canary();
    product.runs().of("0.0.2", "success", 1).send();
    let outlook = &server.analysis(&canary)["outlook"];
    assert_eq!(outlook["successes_to_promotion"], Value::Null, "its policy does not promote early");
    assert_eq!(outlook["signals_missing"], 0);
}
