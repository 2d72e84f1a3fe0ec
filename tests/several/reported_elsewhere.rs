//! Answers of one server whose runs are reported to another.

use canary_tests::{TestServer, eventually};
use serde_json::json;

#[test]
fn who_reports_to_another_server_has_reported() {
    let one = TestServer::start();
    let product = one.product("etl");
    product.release("1").with("is_canary", false).create();
    let policy = json!({"report_within": 60, "alpha_floor": 0.05});
    let release = product.release("2").with("band_count", 1).with("policy", policy);
    let canary = release.create();
    let other = one.beside();
    eventually("the canary on the other server", || {
        (other.get("/release/etl/latest?instance_id=x").json()["is_canary"] == true).then_some(())
    });
    for instance in ["a", "b", "c"] {
        let latest = one.get(&format!("/release/etl/latest?instance_id={instance}")).expect(200);
        assert_eq!(latest["semver_version"], "2");
    }
    one.pass_seconds(1);
    // `x` reports to the one that did not give it the canary, and so does `a`; `b` and `c` do not.
    let report = |server: &TestServer, instance: &str| {
        let signal = product.signal("2", "success").with("instance_id", instance).body();
        server.post("/signal", &signal).expect(201);
    };
    report(&other, "a");
    report(&one, "x");
    one.pass_seconds(60);
    let unreported = || one.release(&canary)["unreported"]["canary"].as_u64().expect("a count");
    one.until_the_engine_has_looked("those who never reported", || {
        (unreported() >= 2).then_some(())
    });
    // Both servers look every five seconds.
    for _ in 0..10 {
        one.pass_seconds(5);
    }
    // Whatever was to be counted comes before what is counted next.
    other.get("/release/etl/latest?instance_id=d").expect(200);
    one.pass_seconds(61);
    one.until_the_engine_has_looked("the next one who never reported", || {
        (unreported() >= 3).then_some(())
    });
    assert_eq!(unreported(), 3, "b, c and d");
}
