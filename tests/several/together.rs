//! Servers that live side by side.

use std::time::{Duration, Instant};

use canary_tests::{TestServer, eventually};
use serde_json::{Value, json};

/// How long what one server commits may take to be shown by another.
const SHOWN_WITHIN: Duration = Duration::from_millis(250);

#[test]
fn what_one_server_commits_the_others_show_in_a_quarter_of_a_second() {
    let one = TestServer::start();
    let other = one.beside();
    let product = one.product("etl");
    let began = Instant::now();
    eventually("the product on the other server", || {
        other.get("/release/etl/latest").json()["code"]
            .as_str()
            .filter(|code| *code == "no_active_release")
            .map(drop)
    });
    product.release("0.0.1").with("is_canary", json!(false)).create();
    let canary = product.release("0.0.2").create();
    let seen = eventually("the canary on the other server", || {
        let seen = other.get("/release/etl/latest").json();
        (seen["reason"] == "first_canary_run").then_some(seen)
    });
    assert_eq!(seen["semver_version"], "0.0.2");
    one.act(&canary, "pause").expect(200);
    eventually("the pause on the other server", || {
        (other.get("/release/etl/latest").json()["reason"] == "paused").then_some(())
    });
    // Three commits, each shown in time; a slow machine is not what is tested here.
    assert!(began.elapsed() < 3 * SHOWN_WITHIN + Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn signals_to_all_of_them_are_counted_once_and_judged_once() {
    let first = TestServer::start();
    let servers = [first.beside(), first.beside()];
    let (product, canary) = first.product_with_canary();
    let everybody = [&first, &servers[0], &servers[1]];
    eventually("the canary on every server", || {
        let knows = |server: &&TestServer| server.get("/release/etl/latest").json()["band"] == 1;
        everybody.iter().all(knows).then_some(())
    });
    std::thread::scope(|scope| {
        for (number, server) in everybody.iter().enumerate() {
            let body =
                product.signal("0.0.2", if number == 0 { "failed" } else { "success" }).body();
            scope.spawn(move || {
                for _ in 0..100 {
                    server.post("/signal", &body).expect(201);
                }
            });
        }
    });
    let shown = first.release(&canary);
    assert_eq!(shown["signals"]["total"], 300);
    assert_eq!(shown["state"], "rolled_back", "a third of its runs failed");
    let verdicts: Vec<Value> =
        first.decisions(&canary).into_iter().filter(|told| told["action"] == "rollback").collect();
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    for server in everybody {
        eventually("the verdict on every server", || {
            (server.get("/release/etl/latest").json()["reason"] == "rolled_back").then_some(())
        });
    }
}

#[test]
fn the_quota_holds_over_all_of_them() {
    let first = TestServer::start();
    let servers = [first.beside(), first.beside()];
    let (product, canary) = first.product_with_canary();
    let everybody = [&first, &servers[0], &servers[1]];
    eventually("the canary on every server", || {
        let knows = |server: &&TestServer| server.get("/release/etl/latest").json()["band"] == 1;
        everybody.iter().all(knows).then_some(())
    });
    std::thread::scope(|scope| {
        for server in everybody {
            let product = &product;
            scope.spawn(move || {
                for _ in 0..200 {
                    let latest = server.get("/release/etl/latest").expect(200);
                    let version = latest["semver_version"].as_str().expect("a version");
                    server.post("/signal", &product.signal(version, "success").body()).expect(201);
                }
            });
        }
    });
    let band = first.release(&canary)["bands"][0].clone();
    let runs = |arm: &str| band[arm]["success"].as_f64().expect("a count");
    let share = runs("canary") / (runs("canary") + runs("stable"));
    assert!((share - 0.2).abs() <= 0.02, "{share}");
}

#[test]
fn when_the_one_that_leads_ends_another_changes_the_bands() {
    let one = TestServer::start();
    let (_, canary) = one.product_with_canary();
    let other = one.beside();
    let clock = other.clock().clone();
    drop(one);
    let advanced = eventually("the second band", || {
        // Slowly, so that the period does not end before somebody leads.
        clock.advance(Duration::from_secs(300));
        other.decisions(&canary).into_iter().find(|told| told["action"] == "advance")
    });
    assert_eq!(advanced["to"], "band 2");
}

#[test]
fn readings_taken_in_by_all_of_them_are_summed_up_by_each() {
    let one = TestServer::start();
    let other = one.beside();
    for second in 0..200 {
        let server = if second % 2 == 0 { &one } else { &other };
        let reading = json!({
            "type": "temperature", "value": second % 101, "date_created": 1_600_000_000 + second,
        });
        server.post("/devices/d/readings", &reading).expect(201);
    }
    for server in [&one, &other] {
        eventually("all readings on each server", || {
            let summary = server.get("/devices/d/readings/summary?type=temperature").json();
            (summary["count"] == 200).then_some(())
        });
    }
    one.fold_readings();
    for server in [&one, &other] {
        let summary = server.get("/devices/d/readings/summary?type=temperature").expect(200);
        assert_eq!(summary["count"], 200);
    }
}
