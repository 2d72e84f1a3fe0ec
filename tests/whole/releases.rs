//! Releases: registered once, shown as they were sent, found and listed.

use canary_tests::{TestServer, default_policy};
use serde_json::{Value, json};

fn versions(releases: &[Value]) -> Vec<&str> {
    releases.iter().map(|release| release["semver_version"].as_str().expect("a version")).collect()
}

#[test]
fn a_release_is_a_canary_of_two_days_in_five_bands_if_nobody_says_else() {
    let server = TestServer::start();
    let product = server.product("etl");
    let created = product.release("0.0.1").send().expect(201);
    let id = created["id"].as_str().expect("an identifier");
    assert_eq!(created, json!({"id": id}));
    let starts = [
        "2023-01-01T10:30:00Z",
        "2023-01-01T20:06:00Z",
        "2023-01-02T05:42:00Z",
        "2023-01-02T15:18:00Z",
        "2023-01-03T00:54:00Z",
    ];
    let none = json!({"success": 0, "failed": 0});
    let bands: Vec<Value> = (1..)
        .zip([0.2, 0.4, 0.6, 0.8, 1.0])
        .zip(starts)
        .map(|((number, share), starts_at)| {
            json!({"number": number, "share": share, "starts_at": starts_at, "canary": none, "stable": none})
        })
        .collect();
    let wanted = json!({
        "id": id,
        "product": server.get(&format!("/product/{}", product.id)).expect(200),
        "semver_version": "0.0.1",
        "is_canary": true,
        "is_active": true,
        "state": "running",
        "threshold": 80.0,
        "canary_period": 2.0,
        "band_count": 5,
        "release_date": "2023-01-01T10:30:00Z",
        "policy": default_policy(),
        "band": 1,
        "share": 0.2,
        "next_band_at": "2023-01-01T20:06:00Z",
        "signals": {"success": 0, "failed": 0, "neutral": 0, "total": 0},
        "unreported": {"canary": 0, "stable": 0, "is_failed": false},
        "bands": bands,
        "verdict": null,
    });
    assert_eq!(server.release(id), wanted);
    assert_eq!(server.get("/release").expect(200), json!([wanted]));
}

#[test]
fn what_is_said_is_kept() {
    let server = TestServer::start();
    let product = server.product("etl");
    let id = product
        .release("1")
        .with("threshold", 99.5)
        .with("canary_period", 0.25)
        .with("band_count", 100)
        .with("release_date", "2023-01-01T12:30:00+02:00")
        .create();
    let shown = server.release(&id);
    assert_eq!(shown["threshold"], 99.5);
    assert_eq!(shown["canary_period"], 0.25);
    assert_eq!(shown["band_count"], 100);
    assert_eq!(shown["bands"].as_array().unwrap().len(), 100);
    assert_eq!(shown["release_date"], "2023-01-01T10:30:00Z");

    let local = server.product("local").release("1").with("release_date", "2023-01-05T00:00:00");
    assert_eq!(server.release(&local.create())["release_date"], "2023-01-05T00:00:00Z");

    let retired = product.release("0").with("is_active", false).create();
    let shown = server.release(&retired);
    assert_eq!((&shown["state"], &shown["is_active"]), (&json!("retired"), &json!(false)));
    assert_eq!(shown["bands"], json!([]));
}

#[test]
fn a_stable_release_is_what_everybody_gets() {
    let server = TestServer::start();
    let product = server.product("etl");
    let id = product.release("1.0.0").with("is_canary", false).create();
    let shown = server.release(&id);
    assert_eq!((&shown["state"], &shown["is_canary"]), (&json!("stable"), &json!(false)));
    assert_eq!((&shown["share"], &shown["band"]), (&json!(1.0), &Value::Null));
    assert_eq!((&shown["bands"], &shown["next_band_at"]), (&json!([]), &Value::Null));
    let latest = product.latest();
    let wanted = json!({
        "id": id,
        "semver_version": "1.0.0",
        "product": server.get(&format!("/product/{}", product.id)).expect(200),
        "is_canary": false,
        "band": null,
        "reason": "only_stable",
    });
    assert_eq!(latest, wanted);
}

#[test]
fn the_latest_is_found_by_name_by_id_and_by_artifact_url() {
    let server = TestServer::start();
    let product = server.product("my etl/1");
    let id = product.release("1").with("is_canary", false).create();
    let keys = ["my%20etl%2F1", &product.id, "https%3A%2F%2Fartifacts%2Eexample%2Fmy%20etl%2F1"];
    for key in keys {
        let latest = server.get(&format!("/release/{key}/latest"));
        assert_eq!(latest.expect(200)["id"], id, "{key}");
    }
    server.get("/release/etl/latest").expect_problem(404, "unknown_product");
    let empty = server.product("empty");
    server.get(&empty.latest_path()).expect_problem(404, "no_active_release");
}

#[test]
fn versions_come_back_to_the_letter() {
    let server = TestServer::start();
    let product = server.product("etl");
    let long = "9.".repeat(64);
    let odd = ["3.10-bullseye", "v1.0.0", "01.002", "größe-β-日本", "a/b?c#d%20&e=\"f\"", &long];
    for version in odd {
        let id = product.release(version).create();
        assert_eq!(server.release(&id)["semver_version"], version);
        assert_eq!(product.signal(version, "success").send().status, 201, "{version}");
        assert_eq!(server.release(&id)["signals"]["total"], 1);
    }
    server.restart();
    let (releases, _) = server.all_pages("/release?limit=2");
    let mut got = versions(&releases);
    got.reverse();
    assert_eq!(got, odd);
}

#[test]
fn versions_are_compared_as_semver_also_leniently() {
    let server = TestServer::start();
    let product = server.product("etl");
    product.release("3.10-bullseye").with("is_canary", false).create();
    let lower = product.release("3.9").with("is_canary", false).create();
    assert_eq!(product.latest()["semver_version"], "3.10-bullseye");
    assert_eq!(server.release(&lower)["state"], "retired");
    let told = server.decisions(&lower);
    assert_eq!(
        told[0]["sentence"],
        "retired 3.9: 3.10-bullseye, a higher version, is stable; promote 3.9 to hand it out all the same"
    );
    product.release("3.10").with("is_canary", false).create();
    assert_eq!(product.latest()["semver_version"], "3.10");
    product.release("nightly").with("is_canary", false).create();
    assert_eq!(product.latest()["semver_version"], "nightly", "by the time of registration");
}

#[test]
fn a_list_is_newest_first_in_pages_and_of_one_product_if_wished() {
    let server = TestServer::start();
    let (etl, web) = (server.product("etl/1"), server.product("web"));
    for number in 0..12 {
        let product = if number % 2 == 0 { &etl } else { &web };
        product.release(&number.to_string()).create();
        // Some at the same moment, some later.
        server.pass_days(if number % 3 == 0 { 0.001 } else { 0.0 });
    }
    let wanted: Vec<String> = (0..12).rev().map(|number| number.to_string()).collect();
    for (limit, want_pages) in [(1, 12), (5, 3), (12, 1)] {
        let (items, pages) = server.all_pages(&format!("/release?limit={limit}"));
        assert_eq!(versions(&items), wanted, "limit {limit}");
        assert_eq!(pages, want_pages, "limit {limit}");
    }
    for key in ["etl%2F1", &etl.id, "https%3A%2F%2Fartifacts.example%2Fetl%2F1"] {
        let (items, pages) = server.all_pages(&format!("/release?limit=4&product={key}"));
        assert_eq!(versions(&items), ["10", "8", "6", "4", "2", "0"], "{key}");
        assert_eq!(pages, 2);
    }
    server.get("/release?product=nobody").expect_problem(404, "unknown_product");
    for cursor in ["x", "1_x", "x_1"] {
        server.get(&format!("/release?cursor={cursor}")).expect_problem(422, "invalid_parameter");
    }
}

#[test]
fn of_many_who_register_the_same_version_at_once_one_does() {
    let server = TestServer::start();
    let product = server.product("etl");
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = || product.release("1").send().status;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(server.get("/release").expect(200).as_array().unwrap().len(), 1);
}
