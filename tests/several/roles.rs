//! Servers that do a part of the work each.

use canary_tests::{TestServer, eventually, temperature};
use serde_json::json;

#[test]
fn a_server_does_its_own_part_and_names_the_role_for_the_rest() {
    let all = TestServer::start();
    let (product, _) = all.product_with_canary();
    let signal = product.signal("0.0.2", "success").body();
    let reading = temperature(22, 1_600_000_000);
    let calls = [
        ("api", "GET", "/product", json!(null)),
        ("api", "GET", "/release/etl/latest", json!(null)),
        ("api", "GET", "/reading-type", json!(null)),
        ("api", "PUT", "/reading-type/load", json!({"unit": "kW", "minimum": 0, "maximum": 9})),
        ("ingest", "POST", "/signal", signal.clone()),
        ("ingest", "POST", "/signal/batch", json!([signal])),
        ("ingest", "POST", "/devices/d/readings", reading),
        ("web", "GET", "/", json!(null)),
    ];
    for role in ["api", "ingest", "web", "engine"] {
        let server = all.beside_as(role);
        for (part, method, path, body) in &calls {
            let sent = (!body.is_null()).then(|| body.to_string());
            let answer = server.send(method, path, &[], sent.as_deref().map(str::as_bytes));
            let answer = answer.expect("an answer");
            if role == *part {
                assert!(answer.status < 300, "{role}: {method} {path}: {}", answer.status);
                continue;
            }
            let detail =
                format!("this needs a server with the role `{part}`, this one has `{role}`");
            assert_eq!(answer.status, 421, "{role}: {method} {path}");
            assert_eq!(answer.json()["code"], "misdirected");
            assert_eq!(answer.json()["detail"], detail);
        }
        for path in ["/version", "/health/live", "/health/ready", "/metrics", "/docs"] {
            assert_eq!(server.get(path).status, 200, "{role}: {path}");
        }
    }
}

#[test]
fn a_canary_goes_its_way_with_every_part_on_another_server() {
    let all = TestServer::start();
    let [api, ingest, web, _engine] =
        ["api", "ingest", "web", "engine"].map(|role| all.beside_as(role));
    drop(all);
    let (product, canary) = api.product_with_canary();
    eventually("the canary where signals are taken in", || {
        let sent = ingest.post("/signal", &product.signal("0.0.2", "success").body());
        (sent.status == 201).then_some(())
    });
    for _ in 0..40 {
        let version = api.get(&product.latest_path()).expect(200)["semver_version"].clone();
        let version = version.as_str().expect("a version");
        ingest.post("/signal", &product.signal(version, "success").body()).expect(201);
    }
    eventually("that the canary is promoted by the engine", || {
        api.pass_days(0.1);
        (api.release(&canary)["state"] == "promoted").then_some(())
    });
    eventually("that it is handed out to all", || {
        let latest = api.get(&product.latest_path()).expect(200);
        (latest["semver_version"] == "0.0.2").then_some(())
    });
    eventually("the page of it", || web.get("/").text.contains("0.0.2").then_some(()));
}
