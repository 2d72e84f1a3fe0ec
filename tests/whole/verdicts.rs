//! What the engine decides, and the sentences that say why.

use canary_tests::{Product, TestServer, eventually};
use serde_json::{Value, json};

/// How a sentence begins: the core has tests for each to its end.
#[track_caller]
fn assert_told(told: &Value, begin: &str) {
    let sentence = told["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with(begin), "{sentence}\ndoes not begin with\n{begin}");
}

fn version(product: &Product) -> String {
    product.latest()["semver_version"].as_str().expect("a version").to_owned()
}

#[test]
fn a_canary_that_always_fails_is_out_after_four_failed_runs() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let mut failed = 0;
    for _ in 0..200 {
        let version = version(&product);
        let status = if version == "0.0.2" { "failed" } else { "success" };
        failed += usize::from(version == "0.0.2");
        product.signal(&version, status).send().expect(201);
    }
    assert_eq!(failed, 4);
    let shown = server.release(&canary);
    assert_eq!((&shown["state"], &shown["is_active"]), (&json!("rolled_back"), &json!(false)));
    let verdict = &shown["verdict"];
    assert_told(
        verdict,
        "rolled back 0.0.2: 4 of 4 runs failed, where at least 80 % must succeed (rule threshold, \
         p ≤ 0.0038); everybody gets 0.0.1 again",
    );
    assert_eq!((&verdict["actor"], &verdict["rule"]), (&json!("engine"), &json!("threshold")));
    assert_eq!(verdict["evidence"]["canary"]["failed"], 4);
    assert_eq!(verdict["evidence"]["findings"]["threshold"]["is_crossed"], true);
    assert_eq!(product.latest()["reason"], "rolled_back");
}

#[test]
fn an_always_failing_canary_is_out_within_one_batch_and_the_rest_is_only_counted() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "failed", 1_000);
    let shown = server.release(&canary);
    assert_eq!(
        (&shown["state"], &shown["signals"]["failed"]),
        (&json!("rolled_back"), &json!(1000))
    );
    assert_eq!(shown["verdict"]["evidence"]["canary"]["failed"], 4);
    assert_eq!(server.decisions(&canary).len(), 1);
}

#[test]
fn one_failure_among_200_does_not_end_a_good_canary_and_the_engine_promotes_it() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "failed", 1);
    product.report("0.0.2", "success", 199);
    assert_eq!(server.release(&canary)["state"], "running");
    server.pass_days(1.0);
    server.decided(&canary, "advance");
    server.pass_days(1.0);
    let verdict = server.decided(&canary, "promote");
    assert_told(
        &verdict,
        "promoted 0.0.2: 199 of 200 runs succeeded over its period of 2 days, where at least 80 % \
         must succeed, and no rule speaks against it",
    );
    assert_eq!(verdict["at"], "2023-01-03T10:30:00Z");
    let shown = server.release(&canary);
    assert_eq!((&shown["state"], &shown["is_canary"]), (&json!("promoted"), &json!(false)));
    assert_eq!(shown["verdict"], verdict);
    let latest = product.latest();
    assert_eq!(
        (&latest["semver_version"], &latest["reason"]),
        (&json!("0.0.2"), &json!("promoted"))
    );
}

#[test]
fn the_engine_tells_of_each_band_as_it_comes() {
    let server = TestServer::start();
    let (_, canary) = server.product_with_canary();
    for band in 2..=5 {
        server.pass_days(0.4);
        eventually("the band in the timeline", || {
            (server.decisions(&canary).len() == band - 1).then_some(())
        });
    }
    for ((band, percent), told) in (2..).zip([40, 60, 80, 100]).zip(server.decisions(&canary)) {
        let begin = "advanced 0.0.2 to band";
        assert_told(&told, &format!("{begin} {band} of 5: {percent} % of the runs from now on"));
    }
}

#[test]
fn a_canary_without_a_signal_is_held_and_promoted_once_there_is_one() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    server.pass_days(2.0);
    server.decided(&canary, "hold");
    assert_eq!(server.release(&canary)["state"], "running");
    assert_eq!(server.release(&canary)["verdict"], Value::Null);
    server.pass_days(30.0);
    product.report("0.0.2", "neutral", 1);
    let told = server.decisions(&canary);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_told(
        &told[0],
        "held 0.0.2: no run was reported by the end of its period, where at least 1 must be",
    );
    product.report("0.0.2", "success", 1);
    assert_eq!(server.release(&canary)["state"], "promoted");
}

#[test]
fn what_came_due_while_the_server_was_down_is_done_when_it_starts() {
    let server = TestServer::with_late_engine();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "success", 10);
    server.pass_days(5.0);
    assert_eq!(server.release(&canary)["state"], "running");
    server.restart();
    assert_eq!(server.release(&canary)["state"], "promoted");
    assert_eq!(version(&product), "0.0.2");
}

#[test]
fn the_policy_says_what_the_end_of_the_period_means() {
    struct Case {
        policy: Value,
        success: usize,
        failed: usize,
        action: &'static str,
        state: &'static str,
        sentence: &'static str,
    }
    let cases = [
        Case {
            policy: json!({"on_insufficient": "promote"}),
            success: 0,
            failed: 0,
            action: "promote",
            state: "promoted",
            sentence: "promoted 0.0.2: no run was reported by the end of its period, where at \
                       least 1 must be, and its policy promotes the unproven",
        },
        Case {
            policy: json!({"on_insufficient": "rollback", "min_signals": 3}),
            success: 2,
            failed: 0,
            action: "rollback",
            state: "rolled_back",
            sentence: "rolled back 0.0.2: only 2 runs were reported by the end of its period, \
                       where at least 3 must be, and its policy rolls the unproven back",
        },
        Case {
            policy: json!({"min_signals": 10}),
            success: 9,
            failed: 0,
            action: "hold",
            state: "running",
            sentence: "held 0.0.2: only 9 runs were reported by the end of its period, where at \
                       least 10 must be",
        },
        Case {
            policy: json!({"rule": "ratio", "min_signals": 10}),
            success: 7,
            failed: 3,
            action: "rollback",
            state: "rolled_back",
            sentence: "rolled back 0.0.2: 7 of 10 runs succeeded, 70 %, where at least 80 % must \
                       succeed",
        },
        Case {
            policy: json!({}),
            success: 1,
            failed: 2,
            action: "hold",
            state: "running",
            sentence: "held 0.0.2: at the end of its period 1 of 3 runs succeeded, where at least \
                       80 % must succeed",
        },
    ];
    let server = TestServer::start();
    let mut canaries = Vec::new();
    for (number, Case { policy, success, failed, .. }) in cases.iter().enumerate() {
        let product = server.product(&format!("etl-{number}"));
        product.release("0.0.1").with("is_canary", false).create();
        canaries.push(product.release("0.0.2").with("policy", policy.clone()).create());
        for (status, times) in [("success", *success), ("failed", *failed)] {
            if times > 0 {
                product.report("0.0.2", status, times);
            }
        }
    }
    server.pass_days(2.0);
    for (Case { action, state, sentence, .. }, canary) in cases.iter().zip(&canaries) {
        assert_told(&server.decided(canary, action), sentence);
        assert_eq!(server.release(canary)["state"], *state, "{sentence}");
    }
}

#[test]
fn a_newer_release_does_to_the_running_canary_what_its_policy_says() {
    let cases = [
        (
            json!({}),
            1,
            "promoted",
            "promoted 0.0.2: 0.0.3 was registered, and the only run succeeded, where at least 80 % \
             must succeed",
        ),
        (json!({}), 0, "superseded", "superseded 0.0.2: 0.0.3 was registered before"),
        (
            json!({"on_supersede": "abort"}),
            1,
            "superseded",
            "superseded 0.0.2: 0.0.3 was registered, and",
        ),
    ];
    let server = TestServer::start();
    let running = |name: &str, policy: Value, success: usize| {
        let product = server.product(name);
        product.release("0.0.1").with("is_canary", false).create();
        let canary = product.release("0.0.2").with("policy", policy).create();
        if success > 0 {
            product.report("0.0.2", "success", success);
        }
        (product, canary)
    };
    for (number, (policy, success, state, sentence)) in cases.into_iter().enumerate() {
        let (product, canary) = running(&format!("etl-{number}"), policy, success);
        let newer = product.release("0.0.3").create();
        let shown = server.release(&canary);
        assert_eq!(shown["state"], state);
        assert_told(&shown["verdict"], sentence);
        assert_eq!(server.release(&newer)["state"], "running");
    }

    let (product, canary) = running("reject", json!({"on_supersede": "reject"}), 1);
    let problem = product.release("0.0.3").send().expect_problem(409, "conflict");
    assert_eq!(
        problem["detail"],
        "canary `0.0.2` is running and its policy rejects new releases: promote it or roll it back \
         first"
    );
    assert_eq!(server.release(&canary)["state"], "running");
    let known = server.get(&format!("/release?product={}", product.id)).expect(200);
    assert_eq!(known.as_array().unwrap().len(), 2, "nothing was registered");
    product.signal("0.0.3", "ok").send().expect_problem(404, "unknown_version");
    // What was refused can be registered once the way is free.
    let path = format!("/release/{canary}/promote");
    server.post(&path, &json!({"reason": "x"})).expect(200);
    product.release("0.0.3").create();
}

#[test]
fn a_canary_without_a_stable_release_is_superseded_and_not_promoted() {
    let server = TestServer::start();
    let product = server.product("etl");
    let first = product.release("0.0.1").create();
    product.report("0.0.1", "success", 10);
    product.release("0.0.2").create();
    assert_eq!(server.release(&first)["state"], "superseded");
    assert_eq!(product.latest()["reason"], "only_canary");
}

#[test]
fn the_only_release_is_judged_too_and_then_there_is_none() {
    let server = TestServer::start();
    let product = server.product("etl");
    let first = product.release("0.0.1").create();
    product.report("0.0.1", "failed", 4);
    assert_told(
        &server.release(&first)["verdict"],
        "rolled back 0.0.1: 4 of 4 runs failed, where at least 80 % must succeed (rule threshold, \
         p ≤ 0.0038); there is no stable version to fall back on",
    );
    server.get(&product.latest_path()).expect_problem(404, "no_active_release");
}

#[test]
fn many_who_report_at_once_are_judged_in_one_order() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..10 {
                    product.signal("0.0.2", "failed").send().expect(201);
                    product.signal("0.0.1", "success").send().expect(201);
                }
            });
        }
    });
    let shown = server.release(&canary);
    assert_eq!(
        (&shown["state"], &shown["signals"]["failed"]),
        (&json!("rolled_back"), &json!(160))
    );
    assert_eq!(shown["verdict"]["evidence"]["canary"]["failed"], 4);
    assert_eq!(shown["bands"][0]["canary"]["failed"], 4);
    assert_eq!(server.decisions(&canary).len(), 1);
}
