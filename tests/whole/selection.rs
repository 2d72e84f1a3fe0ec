//! Which version is handed out, in numbers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

/// Polls, runs and reports `times` times; how often each version was handed out.
fn poll_and_report(product: &Product, times: usize) -> BTreeMap<String, usize> {
    let mut handed_out = BTreeMap::new();
    for _ in 0..times {
        *handed_out.entry(product.poll_and_report()).or_default() += 1;
    }
    handed_out
}

/// The version that an instance gets.
fn of_instance(server: &TestServer, product: &Product, instance: &str) -> Value {
    server.get(&format!("{}?instance_id={instance}", product.latest_path())).expect(200)
}

fn version_of(latest: &Value) -> String {
    latest["semver_version"].as_str().expect("a version").to_owned()
}

#[test]
fn a_hundred_polls_in_band_1_are_eighty_stable_and_twenty_canary() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let handed_out = poll_and_report(&product, 100);
    assert_eq!((handed_out["0.0.1"], handed_out["0.0.2"]), (80, 20));

    let shown = server.release(&canary);
    let band = &shown["bands"][0];
    assert_eq!(band["canary"], json!({"success": 20, "failed": 0}));
    assert_eq!(band["stable"], json!({"success": 80, "failed": 0}));
}

#[test]
fn the_reasons_tell_how_a_rollout_begins() {
    let server = TestServer::start();
    let product = server.product("etl");
    let first = product.release("0.0.1").create();
    let latest = product.latest();
    assert_eq!(latest["id"], first);
    assert_eq!((&latest["reason"], &latest["band"]), (&json!("only_canary"), &json!(1)));
    server.post(&format!("/release/{first}/promote"), &json!({"reason": "x"})).expect(200);
    let latest = product.latest();
    assert_eq!((&latest["reason"], &latest["band"]), (&json!("promoted"), &Value::Null));
    assert_eq!(latest["is_canary"], false);

    product.release("0.0.2").create();
    let reasons: Vec<Value> = (0..4).map(|_| product.latest()["reason"].clone()).collect();
    assert_eq!(reasons, ["first_canary_run", "first_stable_run", "stable_share", "stable_share"]);
}

/// Polls over the whole period and beyond, a hundred times in each band and once more.
fn over_the_whole_period(server: &TestServer) -> (usize, usize) {
    let (product, canary) = server.product_with_canary();
    let (mut stable, mut of_canary) = (0, 0);
    for hundred in 0..6 {
        if hundred > 0 {
            server.pass_days(2.0 / 5.0 + 1.0 / 20_000.0);
        }
        let handed_out = poll_and_report(&product, 100);
        stable += handed_out.get("0.0.1").unwrap_or(&0);
        of_canary += handed_out.get("0.0.2").unwrap_or(&0);
    }
    assert_eq!(server.release(&canary)["state"], "promoted");
    (stable, of_canary)
}

/// CanaryPy has no engine: what is due is done by the next signal.
#[test]
fn six_hundred_polls_over_the_whole_period_are_201_stable_and_399_canary() {
    assert_eq!(over_the_whole_period(&TestServer::with_late_engine()), (201, 399));
}

/// An engine that wakes before the first poll after the period has promoted the canary by then.
#[test]
fn an_engine_that_wakes_in_time_makes_a_difference_of_at_most_one_poll() {
    let handed_out = over_the_whole_period(&TestServer::start());
    assert!(matches!(handed_out, (201, 399) | (200, 400)), "{handed_out:?}");
}

#[test]
fn three_releases_one_after_another_leave_16_20_and_4_signals_in_band_1() {
    let server = TestServer::start();
    let (product, second) = server.product_with_canary();
    poll_and_report(&product, 20);
    let third = product.release("0.0.3").create();
    poll_and_report(&product, 20);

    let band = |release: &str, arm: &str| {
        let shown = server.release(release);
        shown["bands"][0][arm]["success"].as_u64().expect("a count")
    };
    // 0.0.2 ran 4 times as the canary beside 0.0.1, then 16 times as the stable beside 0.0.3.
    assert_eq!(band(&second, "stable"), 16);
    assert_eq!(band(&second, "canary") + band(&third, "stable"), 20);
    assert_eq!(band(&third, "canary"), 4);
    let total = |release: &str| server.release(release)["signals"]["total"].clone();
    assert_eq!((total(&second), total(&third)), (json!(20), json!(4)));
}

#[test]
fn a_thousand_pollers_at_once_do_not_all_get_the_canary() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let (asked, canary) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                while asked.fetch_add(1, Ordering::Relaxed) < 1_000 {
                    if version_of(&product.latest()) == "0.0.2" {
                        canary.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let canary = canary.into_inner();
    assert!((200..=201).contains(&canary), "{canary} of 1 000 got the canary");
}

#[test]
fn the_same_run_gets_the_same_answer() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let ask = |run: usize| {
        let path = format!("{}?run_id=run%20{run}", product.latest_path());
        version_of(&server.get(&path).expect(200))
    };
    let first: Vec<String> = (0..100).map(ask).collect();
    let again: Vec<String> = (0..100).map(ask).collect();
    assert_eq!(first, again);
    assert_eq!(first.iter().filter(|version| *version == "0.0.2").count(), 20);
}

#[test]
fn a_quota_answer_is_never_stored_and_a_sticky_one_is_asked_for_by_its_tag() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let quota = server.get(&product.latest_path());
    assert_eq!(quota.header("Cache-Control"), Some("no-store"));
    assert_eq!(quota.header("ETag"), None);

    let path = format!("{}?instance_id=worker-7", product.latest_path());
    let sticky = server.get(&path);
    let tag = sticky.header("ETag").expect("a tag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    for known in [tag.as_str(), &format!("\"other\", {tag}"), &format!("W/{tag}"), "*"] {
        let again = server.get_with(&path, &[("If-None-Match", known)]);
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("ETag"), Some(tag.as_str()));
    }
    let other = server.get_with(&path, &[("If-None-Match", "\"other\"")]);
    assert_eq!((other.status, other.text), (200, sticky.text));

    server.pass_days(0.4);
    let moved = server.get_with(&path, &[("If-None-Match", &tag)]);
    assert_eq!(moved.status, 200, "the band is part of the answer");
    assert_eq!(moved.json()["band"], 2);
}

#[test]
fn an_instance_keeps_its_version_over_a_restart() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let ask = || -> Vec<Value> {
        (0..100).map(|host| of_instance(&server, &product, &format!("host-{host}"))).collect()
    };
    let before = ask();
    server.restart();
    assert_eq!(ask(), before);
    let canary = before.iter().filter(|latest| latest["is_canary"] == true).count();
    assert!((5..=40).contains(&canary), "{canary} of 100 at a share of 20 %");
}

#[test]
fn widening_never_takes_the_canary_away_from_an_instance() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let mut had_it = vec![false; 500];
    for band in 1..=5 {
        if band > 1 {
            server.pass_days(0.4);
        }
        for (host, had_it) in had_it.iter_mut().enumerate() {
            let latest = of_instance(&server, &product, &format!("host-{host}"));
            assert_eq!(latest["band"], band);
            let has_it = latest["is_canary"] == true;
            assert!(has_it || !*had_it, "host-{host} lost the canary in band {band}");
            *had_it = has_it;
        }
        let share = had_it.iter().filter(|has_it| **has_it).count();
        let expected = 100 * band;
        assert!(share.abs_diff(expected) <= 50, "{share} of 500 in band {band}");
    }
}

#[test]
fn a_paused_canary_is_handed_to_nobody_and_a_product_without_a_release_has_none() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    server.post(&format!("/release/{canary}/pause"), &json!({"reason": "x"})).expect(200);
    for latest in [product.latest(), of_instance(&server, &product, "host")] {
        assert_eq!((version_of(&latest).as_str(), &latest["reason"]), ("0.0.1", &json!("paused")));
    }
    let empty = server.product("empty");
    server.get(&empty.latest_path()).expect_problem(404, "no_active_release");
    server.get("/release/nobody/latest").expect_problem(404, "unknown_product");
}

#[test]
fn an_instance_or_a_name_that_cannot_be_is_refused() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    for instance in ["", "%20", "%0A", &"x".repeat(257)] {
        server
            .get(&format!("{}?instance_id={instance}", product.latest_path()))
            .expect_problem(422, "invalid_parameter");
    }
}

#[test]
fn what_is_handed_out_and_why_is_the_same_after_a_restart() {
    let server = TestServer::start();
    let product = server.product("etl");
    let first = product.release("1").create();
    let act = |release: &str, action: &str| {
        let path = format!("/release/{release}/{action}");
        server.post(&path, &json!({"reason": "x"})).expect(200)
    };
    let same_after_restart = |reason: &str| {
        let before = product.latest();
        assert_eq!(before["reason"], reason);
        server.restart();
        assert_eq!(product.latest(), before, "{reason}");
    };
    same_after_restart("only_canary");
    act(&first, "promote");
    same_after_restart("promoted");
    let second = product.release("2").create();
    act(&second, "pause");
    same_after_restart("paused");
    act(&second, "rollback");
    same_after_restart("rolled_back");
    product.release("3").with("is_canary", false).create();
    same_after_restart("only_stable");
}

#[test]
fn the_quota_goes_on_where_it_was_before_a_restart() {
    let server = TestServer::start();
    let (product, _) = server.product_with_canary();
    let mut handed_out = poll_and_report(&product, 37);
    server.restart();
    for (version, times) in poll_and_report(&product, 63) {
        *handed_out.entry(version).or_default() += times;
    }
    assert_eq!((handed_out["0.0.1"], handed_out["0.0.2"]), (80, 20));
}
