//! Releases: registered, listed, shown, and what a person can do to them.

use canary_tests::TestServer;
use serde_json::{Value, json};

const NOBODY: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

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
        "policy": {
            "rule": "threshold",
            "min_signals": 1,
            "on_insufficient": "hold",
            "on_supersede": "promote_if_healthy",
        },
        "band": 1,
        "share": 0.2,
        "next_band_at": "2023-01-01T20:06:00Z",
        "signals": {"success": 0, "failed": 0, "neutral": 0, "total": 0},
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
    let policy = json!({
        "rule": "ratio",
        "min_signals": 1_000_000,
        "on_insufficient": "rollback",
        "on_supersede": "reject",
    });
    let id = product
        .release("1")
        .with("threshold", 99.5)
        .with("canary_period", 0.25)
        .with("band_count", 100)
        .with("release_date", "2023-01-01T12:30:00+02:00")
        .with("policy", policy.clone())
        .create();
    let shown = server.release(&id);
    assert_eq!(shown["threshold"], 99.5);
    assert_eq!(shown["canary_period"], 0.25);
    assert_eq!(shown["band_count"], 100);
    assert_eq!(shown["bands"].as_array().unwrap().len(), 100);
    assert_eq!(shown["release_date"], "2023-01-01T10:30:00Z");
    assert_eq!(shown["policy"], policy);

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

#[test]
fn band_share_and_next_band_follow_the_clock() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "success", 1);
    let wanted = [
        (1, 0.2, json!("2023-01-01T20:06:00Z")),
        (2, 0.4, json!("2023-01-02T05:42:00Z")),
        (3, 0.6, json!("2023-01-02T15:18:00Z")),
        (4, 0.8, json!("2023-01-03T00:54:00Z")),
        (5, 1.0, Value::Null),
    ];
    for (band, share, next_band_at) in wanted {
        if band > 1 {
            server.pass_days(0.4);
        }
        let shown = server.release(&canary);
        assert_eq!(shown["band"], band);
        assert_eq!(shown["share"], share);
        assert_eq!(shown["next_band_at"], next_band_at, "band {band}");
    }
}

#[test]
fn a_release_of_tomorrow_waits_for_its_date() {
    let server = TestServer::start();
    let product = server.product("etl");
    product.release("1").with("is_canary", false).create();
    let canary = product.release("2").with("release_date", "2023-01-02T10:30:00Z").create();
    let shown = server.release(&canary);
    assert_eq!((&shown["state"], &shown["band"]), (&json!("running"), &Value::Null));
    assert_eq!(shown["share"], 0.0);
    assert_eq!(shown["next_band_at"], "2023-01-02T10:30:00Z");
    assert_eq!(product.latest()["semver_version"], "1");
    server.pass_days(1.0);
    assert_eq!(server.release(&canary)["band"], 1);
    assert_eq!(product.latest()["semver_version"], "2");
}

#[test]
fn a_release_date_is_accepted_only_if_all_that_follows_from_it_can_be_shown() {
    let server = TestServer::start();
    let product = server.product("etl");
    for (number, date) in
        ["9999-06-01T00:00:00Z", "9990-01-01T00:00:00Z", "-009999-01-02T00:00:00Z"]
            .into_iter()
            .enumerate()
    {
        let created = product
            .release(&number.to_string())
            .with("release_date", date)
            .with("canary_period", 3650)
            .send();
        if created.status == 422 {
            let problem = created.expect_problem(422, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/release_date");
            continue;
        }
        let id = created.expect(201)["id"].as_str().unwrap().to_owned();
        for band in server.release(&id)["bands"].as_array().unwrap() {
            assert_ne!(band["starts_at"], "", "{date}");
        }
    }
}

#[test]
fn a_release_date_in_the_past_begins_in_a_later_band() {
    let server = TestServer::start();
    let product = server.product("etl");
    product.release("1").with("is_canary", false).create();
    let canary = product.release("2").with("release_date", "2022-12-31T10:30:00Z").create();
    let shown = server.release(&canary);
    assert_eq!((&shown["band"], &shown["share"]), (&json!(3), &json!(0.6)));
    assert_eq!(shown["next_band_at"], "2023-01-01T15:18:00Z");
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
