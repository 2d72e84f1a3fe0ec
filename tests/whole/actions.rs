//! What a person does to a release, and the timeline that tells of it.

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

/// The identifier of the version that everybody gets.
fn stable_of(server: &TestServer, product: &Product) -> String {
    let (releases, _) = server.all_pages(&format!("/release?product={}", product.id));
    let stable = releases.iter().find(|release| release["state"] == "stable");
    stable.expect("a stable release")["id"].as_str().expect("an identifier").to_owned()
}

#[test]
fn an_action_repeated_changes_nothing_and_a_senseless_one_says_why() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let stable = stable_of(&server, &product);
    let done = |action: &str, state: &str| {
        let shown = server.act(&canary, action).expect(200);
        assert_eq!(shown["state"], state, "{action}");
        assert_eq!(shown, server.release(&canary));
        shown
    };
    done("resume", "running");
    let paused = done("pause", "paused");
    assert_eq!((&paused["share"], &paused["next_band_at"]), (&json!(0.0), &Value::Null));
    assert_eq!(done("pause", "paused"), paused);
    done("resume", "running");
    done("resume", "running");
    let promoted = done("promote", "promoted");
    assert_eq!((&promoted["is_canary"], &promoted["share"]), (&json!(false), &json!(1.0)));
    assert_eq!(done("promote", "promoted"), promoted);
    for action in ["rollback", "pause", "resume"] {
        let problem = server.act(&canary, action).expect_problem(409, "conflict");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.starts_with(&format!("cannot {action} `0.0.2`, it is promoted: ")),
            "{detail}"
        );
    }
    server.act(&stable, "rollback").expect_problem(409, "conflict");

    let actions: Vec<Value> =
        server.decisions(&canary).iter().map(|told| told["action"].clone()).collect();
    assert_eq!(actions, ["pause", "resume", "promote"], "repeats leave no trace");

    // The way back to an older version.
    assert_eq!(server.release(&stable)["state"], "retired");
    assert_eq!(server.act(&stable, "promote").expect(200)["state"], "promoted");
    assert_eq!(product.latest()["semver_version"], "0.0.1");

    let third = product.release("0.0.3").create();
    assert_eq!(server.act(&third, "rollback").expect(200)["state"], "rolled_back");
    let again = server.act(&third, "rollback").expect(200);
    assert_eq!((&again["is_active"], &again["share"]), (&json!(false), &json!(0.0)));
    assert_eq!(again["verdict"]["action"], "rollback");
    server.act(&third, "promote").expect_problem(409, "conflict");
    assert_eq!(product.latest()["reason"], "rolled_back");
}

#[test]
fn the_timeline_tells_who_did_what_and_why() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "success", 3);
    assert_eq!(server.decisions(&canary), Vec::<Value>::new());
    server.pass_days(0.1);
    let body = json!({"reason": "a customer called"});
    server.post(&format!("/release/{canary}/rollback"), &body).expect(200);
    let told = server.decisions(&canary);
    assert_eq!(told.len(), 1);
    let fields: Vec<&String> = told[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["at", "action", "from", "to", "actor", "rule", "sentence", "evidence"]);
    assert_eq!(told[0]["at"], "2023-01-01T12:54:00Z");
    assert_eq!(
        ["action", "from", "to", "actor", "rule"].map(|field| told[0][field].as_str().unwrap()),
        ["rollback", "running", "rolled_back", "operator", "operator"]
    );
    let sentence = told[0]["sentence"].as_str().unwrap();
    assert!(
        sentence
            .starts_with("rolled back 0.0.2: by an operator, a customer called; everybody gets"),
        "{sentence}"
    );
    let runs = &told[0]["evidence"]["canary"];
    assert_eq!((&runs["success"], &runs["failed"]), (&json!(3), &json!(0)));
    assert_eq!(server.release(&canary)["verdict"], told[0]);
    server.restart();
    assert_eq!(server.decisions(&canary), told);
}

#[test]
fn a_reason_may_be_absent_and_is_at_most_1000_characters() {
    let server = TestServer::start();
    let (_, canary) = server.product_with_canary();
    let pause = |body: Value| server.post(&format!("/release/{canary}/pause"), &body);
    pause(json!({"reason": "r".repeat(1001)})).expect_problem(422, "invalid");
    pause(json!({"reasons": "x"})).expect_problem(422, "invalid");
    assert_eq!(server.release(&canary)["state"], "running");
    pause(json!({})).expect(200);
    assert_eq!(server.release(&canary)["state"], "paused");
}

#[test]
fn an_action_with_an_idempotency_key_is_done_once() {
    let server = TestServer::start();
    let (_, canary) = server.product_with_canary();
    let headers = [("Idempotency-Key", "pause-1")];
    let pause = |reason: &str| {
        let path = format!("/release/{canary}/pause");
        server.post_with(&path, &headers, &json!({"reason": reason}))
    };
    pause("x").expect(200);
    server.act(&canary, "resume").expect(200);
    assert_eq!(pause("x").expect(200)["state"], "running", "it was done, and is not done again");
    pause("y").expect_problem(422, "key_reused");
}

#[test]
fn a_pause_costs_the_canary_no_time() {
    let server = TestServer::start();
    let (_, canary) = server.product_with_canary();
    server.pass_days(0.1);
    server.act(&canary, "pause").expect(200);
    server.pass_days(10.0);
    assert_eq!(server.release(&canary)["band"], 1);
    let resumed = server.act(&canary, "resume").expect(200);
    assert_eq!((&resumed["band"], &resumed["share"]), (&json!(1), &json!(0.2)));
    assert_eq!(resumed["next_band_at"], "2023-01-11T20:06:00Z");
    server.restart();
    assert_eq!(server.release(&canary), resumed);
}
