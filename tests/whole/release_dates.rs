//! When a release begins, and which band it is in by then.

use canary_tests::TestServer;
use serde_json::{Value, json};

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
