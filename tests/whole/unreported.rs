//! Answers that were handed out and not reported in time: counted, and failed if the policy says so.

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

/// A policy under which no run and no missing report ends a canary: all that happens is counted.
fn only_counting(report_within: Option<u32>) -> Value {
    json!({"alpha_floor": 0.05, "report_within": report_within})
}

/// The stable release 0.0.1 and the canary 0.0.2 with this threshold and policy.
fn with_canary(server: &TestServer, threshold: u8, policy: Value) -> (Product, String) {
    let product = server.product("etl");
    product.release("0.0.1").with("is_canary", false).create();
    let release = product.release("0.0.2").with("threshold", threshold).with("policy", policy);
    (product, release.create())
}

/// Asks which version to run.
fn ask(product: &Product) -> String {
    product.latest()["semver_version"].as_str().expect("a version").to_owned()
}

/// Asks so often, and reports the runs of the stable version alone; how often the canary was given.
fn ask_and_report_the_stable(product: &Product, times: usize) -> u64 {
    let mut canaries = 0;
    for _ in 0..times {
        match ask(product).as_str() {
            "0.0.2" => canaries += 1,
            version => drop(product.run(version, "success").send().expect(201)),
        }
    }
    canaries
}

/// Waits until so many answers are told of that were not reported, of the canary and of the stable
/// version.
#[track_caller]
fn counted(server: &TestServer, release: &str, canary: u64, stable: u64) {
    let wanted = (json!(canary), json!(stable));
    server.until_the_engine_has_looked(&format!("{wanted:?} without a report"), || {
        let told = &server.release(release)["unreported"];
        ((told["canary"].clone(), told["stable"].clone()) == wanted).then_some(())
    });
    assert_eq!(server.analysis(release)["unreported"], server.release(release)["unreported"]);
}

#[test]
fn an_answer_that_is_not_reported_for_a_minute_is_counted_and_not_judged() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, 80, json!({}));
    let none = json!({"canary": 0, "stable": 0, "is_failed": false});
    assert_eq!(server.release(&canary)["unreported"], none);
    assert_eq!((ask(&product).as_str(), ask(&product).as_str()), ("0.0.2", "0.0.1"));
    server.pass_seconds(40);
    assert_eq!(ask(&product), "0.0.1");
    server.pass_seconds(20);
    counted(&server, &canary, 1, 1);
    server.pass_seconds(40);
    counted(&server, &canary, 1, 2);

    for _ in 0..5 {
        // With nothing outstanding and nothing seen, somebody must begin.
        assert_eq!(ask(&product), "0.0.2");
        server.pass_seconds(60);
    }
    counted(&server, &canary, 6, 2);
    let shown = server.release(&canary);
    assert_eq!(
        (&shown["state"], &shown["unreported"]["is_failed"]),
        (&json!("running"), &json!(false))
    );
    assert_eq!(shown["signals"]["total"], 0);
    let outlook = &server.analysis(&canary)["outlook"];
    assert_eq!(
        (&outlook["signals_missing"], &outlook["failures_to_rollback"]),
        (&json!(1), &json!(4))
    );
    server.restart();
    assert_eq!(server.release(&canary), shown, "what was counted is kept");
}

#[test]
fn a_canary_that_never_reports_is_rolled_back_where_the_policy_says_within_which_time() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, 80, json!({"report_within": 30}));
    let canaries = ask_and_report_the_stable(&product, 40);
    assert!(canaries >= 4, "{canaries}");
    server.pass_seconds(30);
    let verdict = server.until_the_engine_has_looked("the rollback", || {
        server.decisions(&canary).into_iter().find(|told| told["action"] == "rollback")
    });
    assert_eq!((&verdict["rule"], &verdict["actor"]), (&json!("threshold"), &json!("engine")));
    let evidence = &verdict["evidence"];
    assert_eq!(evidence["unreported"], json!({"canary": canaries, "stable": 0, "is_failed": true}));
    assert_eq!(
        (&evidence["canary"]["failed"], &evidence["stable"]["success"]),
        (&json!(0), &json!(40 - canaries))
    );
    let sentence = verdict["sentence"].as_str().unwrap();
    let begin = format!("rolled back 0.0.2: {canaries} of {canaries} runs failed");
    assert!(
        sentence.starts_with(&begin) && sentence.contains("not reported in time"),
        "{sentence}"
    );
    assert_eq!(product.latest()["reason"], "rolled_back");
    assert_eq!(server.analysis(&canary)["unreported"], evidence["unreported"]);
}

#[test]
fn a_missing_report_is_a_failed_run_among_others() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, 80, json!({"report_within": 30}));
    product.runs().of("0.0.1", "success", 1).of("0.0.2", "failed", 2).send();
    // Two failures do not end it; what is handed out now and never reported does.
    let canaries = ask_and_report_the_stable(&product, 20);
    assert!(canaries >= 2, "{canaries}");
    server.pass_seconds(30);
    let verdict = server.until_the_engine_has_looked("the rollback", || {
        server.decisions(&canary).into_iter().find(|told| told["action"] == "rollback")
    });
    let evidence = &verdict["evidence"];
    assert_eq!(
        (&evidence["canary"]["failed"], &evidence["unreported"]["canary"]),
        (&json!(2), &json!(canaries))
    );
}

#[test]
fn who_reports_in_time_does_not_count_and_who_reports_late_counts_as_both() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, 0, only_counting(Some(30)));
    let versions: Vec<String> = (0..10).map(|_| ask(&product)).collect();
    server.pass_seconds(29);
    for version in &versions {
        product.run(version, "success").send().expect(201);
    }
    let late = ask(&product);
    server.pass_seconds(30);
    let of = |version: &str| u64::from(late == version);
    counted(&server, &canary, of("0.0.2"), of("0.0.1"));
    product.run(&late, "failed").send().expect(201);
    counted(&server, &canary, of("0.0.2"), of("0.0.1"));
    let shown = server.analysis(&canary);
    let runs = |arm: &str| {
        shown[arm]["success"].as_u64().unwrap() + shown[arm]["failed"].as_u64().unwrap()
    };
    assert_eq!(runs("canary") + runs("stable"), 11);
}

/// The version that an instance is given.
fn of_instance(server: &TestServer, product: &Product, host: usize) -> String {
    let path = format!("{}?instance_id=host-{host}", product.latest_path());
    let latest = server.get(&path).expect(200);
    latest["semver_version"].as_str().expect("a version").to_owned()
}

#[test]
fn an_instance_that_asks_again_and_again_is_one_answer_until_it_reports() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, 0, only_counting(Some(60)));
    let ask_all =
        || -> Vec<String> { (0..120).map(|host| of_instance(&server, &product, host)).collect() };
    let versions = ask_all();
    for _ in 0..5 {
        server.pass_seconds(10);
        assert_eq!(ask_all(), versions);
    }
    // The even ones report in time, and ask again.
    for (host, version) in versions.iter().enumerate().step_by(2) {
        let report = product.signal(version, "success").with("instance_id", format!("host-{host}"));
        report.send().expect(201);
        of_instance(&server, &product, host);
    }
    let odd = |version: &str| {
        versions.iter().skip(1).step_by(2).filter(|given| *given == version).count() as u64
    };
    let even =
        |version: &str| versions.iter().step_by(2).filter(|given| *given == version).count() as u64;
    assert!(odd("0.0.2") > 0 && even("0.0.2") > 0, "{versions:?}");
    server.pass_seconds(10);
    counted(&server, &canary, odd("0.0.2"), odd("0.0.1"));
    // Since they reported, the even ones have been awaited once more.
    server.pass_seconds(60);
    let all = (odd("0.0.2") + even("0.0.2"), odd("0.0.1") + even("0.0.1"));
    counted(&server, &canary, all.0, all.1);
}

#[test]
fn an_instance_is_awaited_by_name_only_where_the_policy_says_so() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, 0, only_counting(None));
    for host in 0..40 {
        of_instance(&server, &product, host);
    }
    assert_eq!(ask(&product), "0.0.2");
    server.pass_seconds(60);
    counted(&server, &canary, 1, 0);
}
