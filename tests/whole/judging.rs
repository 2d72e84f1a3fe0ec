//! The rules that speak against a canary, and for it: each finds its verdict, and the evidence is
//! enough to find it again.

use canary_tests::{Product, TestServer, blocks, check_test, is_near, mixture, numbers};
use serde_json::{Value, json};

/// A run: whether it was the canary's, and whether it failed.
type Run = (bool, bool);

/// Runs of which one in five is the canary's; of each version it is said which of them fail.
fn traffic(
    runs: usize,
    canary: impl Fn(usize) -> bool,
    stable: impl Fn(usize) -> bool,
) -> Vec<Run> {
    let run = |run: usize| match (run / 5, run % 5) {
        (round, 2) => (true, canary(round)),
        (round, place) => (false, stable(4 * round + place - usize::from(place > 2))),
    };
    (0..runs).map(run).collect()
}

/// Reports runs of 0.0.1 and 0.0.2 at once, each of an instance of its own.
fn report(product: &Product, runs: &[Run]) {
    let report = product.runs();
    let all = runs.iter().fold(report, |report, (is_canary, is_failed)| {
        let version = if *is_canary { "0.0.2" } else { "0.0.1" };
        report.of(version, if *is_failed { "failed" } else { "success" }, 1)
    });
    all.send();
}

/// A product with the stable release 0.0.1 and the canary 0.0.2 under this policy.
fn with_policy(server: &TestServer, name: &str, policy: Value) -> (Product, String) {
    let product = server.product(name);
    product.release("0.0.1").with("is_canary", false).create();
    let canary = product.release("0.0.2").with("policy", policy).create();
    (product, canary)
}

/// Runs of both versions that a decision was taken on.
fn runs_in(evidence: &Value) -> usize {
    let of = |arm: &str, status: &str| evidence[arm][status].as_u64().expect("a count") as usize;
    ["canary", "stable"].iter().map(|arm| of(arm, "success") + of(arm, "failed")).sum()
}

#[test]
fn a_canary_above_its_threshold_but_worse_than_the_stable_version_is_rolled_back() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let runs = traffic(1_000, |run| run % 7 == 6, |run| run % 100 == 50);
    report(&product, &runs);
    let verdict = &server.release(&canary)["verdict"];
    assert_eq!((&verdict["action"], &verdict["rule"]), (&json!("rollback"), &json!("baseline")));
    let evidence = &verdict["evidence"];
    assert!(evidence["canary"]["success_rate"].as_f64().unwrap() > 85.0, "{evidence}");
    assert_eq!(evidence["findings"]["threshold"]["is_crossed"], false);

    // What is shown is enough to find the verdict again.
    let baseline = &evidence["findings"]["baseline"];
    let found = mixture(&baseline["weights"], &baseline["logs"]);
    assert!(check_test(&baseline["test"], found, 0.04), "{baseline}");

    // And what is shown follows from the runs.
    let judged = &runs[..runs_in(evidence)];
    let odds = numbers(&baseline["odds"]);
    let logs: Vec<f64> =
        odds.iter().map(|odds| blocks(judged).iter().map(|block| block.log(*odds)).sum()).collect();
    for (plain, shown) in logs.iter().zip(numbers(&baseline["logs"])) {
        assert!(is_near(*plain, shown), "{logs:?} in {baseline}");
    }
    let sentence = verdict["sentence"].as_str().unwrap();
    assert!(sentence.contains("0.0.2 fails more often"), "{sentence}");
    assert_eq!(product.latest()["reason"], "rolled_back");
}

#[test]
fn a_canary_is_compared_with_what_the_policy_calls_fine() {
    let worse = || traffic(1_000, |run| run % 7 == 6, |run| run % 100 == 50);
    let same = || traffic(1_000, |run| run % 7 == 6, |run| run % 7 == 3);
    let cases = [
        ("worse than the stable version", json!({}), worse(), "rolled_back"),
        ("as good as a bad stable version", json!({}), same(), "running"),
        ("worse, but by less than is fine", json!({"rho0": 50}), worse(), "running"),
        ("as good, where it must be better", json!({"rho0": 0.1}), same(), "rolled_back"),
        ("worse, and nobody compares", json!({"alpha_floor": 0.05}), worse(), "running"),
    ];
    let server = TestServer::start();
    for (name, policy, runs, state) in cases {
        let is_compared = policy["alpha_floor"].is_null();
        let (product, canary) = with_policy(&server, name, policy);
        report(&product, &runs);
        assert_eq!(server.release(&canary)["state"], state, "{name}");
        let findings = &server.analysis(&canary)["findings"];
        assert_eq!(findings["baseline"].is_object(), is_compared, "{name}");
        if is_compared {
            let baseline = &findings["baseline"];
            let found = mixture(&baseline["weights"], &baseline["logs"]);
            let is_crossed = check_test(&baseline["test"], found, 0.04);
            let log = |field: &str| baseline["test"][field].as_f64();
            assert!(log("max_log_e") >= log("log_e"), "{name}: {baseline}");
            assert_eq!(is_crossed, state == "rolled_back", "{name}: {findings}");
        }
    }
}

#[test]
fn a_threshold_that_gets_all_of_alpha_speaks_sooner_and_one_that_gets_none_never() {
    let server = TestServer::start();
    for (part, failures, state) in
        [(0.01, 4, "rolled_back"), (0.05, 3, "rolled_back"), (0.0, 40, "running")]
    {
        let (product, canary) =
            with_policy(&server, &format!("{part}"), json!({"alpha_floor": part}));
        product.runs().of("0.0.2", "failed", failures - 1).send();
        assert_eq!(server.release(&canary)["state"], "running", "{part}");
        product.runs().of("0.0.2", "failed", 1).send();
        assert_eq!(server.release(&canary)["state"], state, "{part}");
        let threshold = &server.analysis(&canary)["findings"]["threshold"];
        assert_eq!(threshold.is_null(), part == 0.0, "{threshold}");
        if part > 0.0 {
            assert_eq!(threshold["alpha"], part);
        }
    }
}

#[test]
fn a_canary_below_its_threshold_is_rolled_back_with_what_that_follows_from() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.runs().of("0.0.2", "success", 5).of("0.0.2", "failed", 40).send();
    let verdict = &server.release(&canary)["verdict"];
    assert_eq!(verdict["rule"], "threshold");
    let (test, runs) =
        (&verdict["evidence"]["findings"]["threshold"], &verdict["evidence"]["canary"]);
    let of = |status: &str| runs[status].as_f64().expect("a count");
    let q = test["allowed_failure_rate"].as_f64().unwrap();
    let weights = [1.0, 1.0, 1.0, 1.0, 2.0].map(|weight| weight / 6.0);
    let ratios = [0.1, 0.25, 0.5, 0.75, 1.0].map(|place| {
        let rate: f64 = q + (1.0 - q) * place;
        (rate / q).powf(of("failed")) * ((1.0 - rate) / (1.0 - q)).powf(of("success"))
    });
    let evidence: f64 = weights.iter().zip(ratios).map(|(weight, ratio)| weight * ratio).sum();
    assert!(is_near(evidence.ln(), test["max_log_e"].as_f64().unwrap()), "{evidence}: {test}");
    assert!(is_near(1.0 / evidence, test["p_value"].as_f64().unwrap()), "{evidence}: {test}");
    assert_eq!(json!([test["alpha"], test["is_crossed"]]), json!([0.01, true]));
    assert!(evidence >= 100.0, "{evidence}");
}

/// The evidence of the service level: the canary's runs against a failure rate `q`.
fn service(q: f64, runs: &Value) -> f64 {
    let of = |status: &str| runs[status].as_f64().expect("a count");
    let ratio = |part: f64| {
        let rate = part * q;
        (rate / q).powf(of("failed")) * ((1.0 - rate) / (1.0 - q)).powf(of("success"))
    };
    [0.02, 0.1, 0.25, 0.5, 0.75].map(ratio).iter().sum::<f64>() / 5.0
}

#[test]
fn a_canary_that_is_proven_good_is_promoted_before_its_period_is_over() {
    let good = || traffic(1_000, |_| false, |run| run % 4 == 1);
    let flawless = || traffic(1_000, |_| false, |_| false);
    let cases = [
        ("better than the stable version", json!({"early_promotion": true}), good(), true),
        ("nothing failed, nothing to compare", json!({"early_promotion": true}), flawless(), false),
        ("good by itself", json!({"early_promotion": true, "q": 0.05}), flawless(), true),
        ("good by both", json!({"early_promotion": true, "q": 0.05}), good(), true),
        ("too few", json!({"early_promotion": true, "q": 0.05, "min_signals": 999}), good(), false),
        ("nobody asks for it", json!({}), good(), false),
    ];
    let server = TestServer::start();
    for (name, policy, runs, is_promoted) in cases {
        let q = policy["q"].as_f64();
        let (product, canary) = with_policy(&server, name, policy);
        report(&product, &runs);
        let shown = server.release(&canary);
        assert_eq!(shown["state"], if is_promoted { "promoted" } else { "running" }, "{name}");
        if !is_promoted {
            continue;
        }
        let verdict = &shown["verdict"];
        assert_eq!(verdict["rule"], "early_promotion", "{name}");
        let (proof, runs) =
            (&verdict["evidence"]["findings"]["proof"], &verdict["evidence"]["canary"]);
        assert_eq!((&proof["rho"], proof["q"].as_f64()), (&json!(2.0), q), "{name}");
        let relative = mixture(&proof["weights"], &proof["logs"]);
        let found = match q {
            Some(q) => f64::midpoint(relative, service(q, runs)),
            None => relative,
        };
        assert!(check_test(&proof["test"], found, 0.05), "{name}: {proof}");
        let latest = product.latest();
        assert_eq!(
            (&latest["semver_version"], &latest["reason"]),
            (&json!("0.0.2"), &json!("promoted"))
        );
    }
}

#[test]
fn a_part_that_is_held_back_stays_with_the_stable_version_to_the_end() {
    let server = TestServer::start();
    let (product, canary) = with_policy(&server, "etl", json!({"holdback": 0.05}));
    let shares: Vec<Value> = server.release(&canary)["bands"]
        .as_array()
        .expect("bands")
        .iter()
        .map(|band| band["share"].clone())
        .collect();
    assert_eq!(shares, [0.2, 0.4, 0.6, 0.8, 0.95]);
    for _ in 0..10 {
        product.poll_and_report();
    }
    server.pass_days(1.6);
    assert_eq!(server.release(&canary)["share"], 0.95);

    let mut polled = 0;
    for _ in 0..200 {
        polled += usize::from(product.poll_and_report() == "0.0.2");
    }
    assert!((190..=191).contains(&polled), "{polled} of 200");

    let place = |host: usize| format!("{}?instance_id=host-{host}", product.latest_path());
    let latest = (0..1_000).map(|host| server.get(&place(host)).expect(200));
    let sticky = latest.filter(|latest| latest["is_canary"] == true).count();
    assert!((930..=970).contains(&sticky), "{sticky} of 1 000");
    // So there is somebody to be compared with: all blocks of the last band have both versions.
    let open = &server.analysis(&canary)["findings"]["baseline"]["open_block"];
    let runs = |arm: &str| open[arm].as_u64().expect("a count");
    assert!(runs("canary_runs") + runs("stable_runs") < 20, "{open}");
}

#[test]
fn the_end_of_the_period_is_what_the_policy_makes_of_a_canary_that_is_not_proven_good() {
    let server = TestServer::start();
    let cases = [
        ("promote", "promote", "promoted", "schedule"),
        ("hold", "hold", "running", "at_end"),
        ("rollback", "rollback", "rolled_back", "at_end"),
    ];
    let begun = cases.map(|(at_end, ..)| {
        let (product, canary) = with_policy(&server, at_end, json!({"at_end": at_end, "q": 0.1}));
        product.runs().of("0.0.2", "success", 9).send();
        (product, canary)
    });
    server.pass_days(2.0);
    for ((at_end, action, state, rule), (_, canary)) in cases.into_iter().zip(&begun) {
        let decision = server.decided(canary, action);
        assert_eq!((&decision["rule"], &decision["to"]), (&json!(rule), &json!(state)), "{at_end}");
    }
    // What was held is promoted as soon as it is proven good, and not before.
    let (product, canary) = &begun[1];
    product.runs().of("0.0.2", "success", 30).send();
    assert_eq!(server.release(canary)["state"], "running");
    product.runs().of("0.0.2", "success", 100).send();
    let verdict = server.decided(canary, "promote");
    let proof = &verdict["evidence"]["findings"]["proof"];
    let relative = mixture(&proof["weights"], &proof["logs"]);
    let found = f64::midpoint(relative, service(0.1, &verdict["evidence"]["canary"]));
    assert!(check_test(&proof["test"], found, 0.05));
    assert!(verdict["evidence"]["canary"]["success"].as_u64().unwrap() < 100, "{verdict}");
}

#[test]
fn retries_of_one_instance_are_one_failure_unless_the_policy_counts_them() {
    let server = TestServer::start();
    // In each ten runs one instance retries eight times, and eight others succeed.
    let ten_runs = |product: &Product, ten: usize| {
        let broken = product.signal("0.0.2", "failed").with("instance_id", format!("broken-{ten}"));
        let runs = product.runs().of("0.0.1", "success", 2);
        (0..8).fold(runs, |runs, _| runs.and(&broken)).send();
    };
    for (counts, state, judged) in [(true, "rolled_back", 8), (false, "running", 1)] {
        let policy = json!({"count_repeats": counts});
        let product = server.product(&format!("{counts}"));
        product.release("0.0.1").with("is_canary", false).create();
        let release = product.release("0.0.2").with("threshold", 0).with("policy", policy);
        let canary = release.create();
        ten_runs(&product, 0);
        let logs = numbers(&server.analysis(&canary)["findings"]["baseline"]["logs"]);
        let block = canary_tests::Block {
            canary: judged,
            canary_failed: judged,
            stable: 2,
            stable_failed: 0,
        };
        assert!(is_near(logs[0], block.log(1.6)), "{logs:?} of {block:?}");
        ten_runs(&product, 1);
        assert_eq!(server.release(&canary)["state"], state);
    }
}
