//! Policies: what is set comes back, what is not is the default, what cannot be is refused.

use canary_tests::{Answer, JSON, Product, TestServer, default_policy};
use serde_json::{Value, json};

const NOBODY: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

/// A policy that differs from the default in every setting.
fn every_setting() -> Value {
    json!({
        "rule": "ratio",
        "alpha": 0.1,
        "alpha_floor": 0.03,
        "alpha_measurements": 0.04,
        "rho0": 1.5,
        "early_promotion": true,
        "rho": 3.0,
        "q": 0.02,
        "beta": 0.01,
        "holdback": 0.05,
        "min_signals": 30,
        "at_end": "hold",
        "on_insufficient": "rollback",
        "on_supersede": "reject",
        "report_within": 90.0,
        "count_repeats": true,
        "measurements": {"latency_ms": "high_is_bad", "rows/s": "low_is_bad"},
        "readings": {"temperature": "high_is_bad"},
    })
}

/// The default policy with some settings changed.
fn default_but(changes: &Value) -> Value {
    let mut policy = default_policy();
    for (setting, value) in changes.as_object().expect("settings") {
        policy[setting] = value.clone();
    }
    policy
}

fn path(product: &Product) -> String {
    format!("/product/{}/policy", product.id)
}

fn put(server: &TestServer, product: &Product, policy: &Value) -> Answer {
    let body = policy.to_string();
    server.send("PUT", &path(product), &[JSON], Some(body.as_bytes())).expect("an answer")
}

/// The policy of a release that is registered with these settings.
fn policy_of(server: &TestServer, product: &Product, version: &str, policy: &Value) -> Value {
    let release = product.release(version).with("policy", policy.clone()).create();
    server.release(&release)["policy"].clone()
}

#[test]
fn every_setting_comes_back_as_it_was_sent() {
    let server = TestServer::start();
    let all = every_setting();
    let settings = all.as_object().expect("settings");
    assert_eq!(settings.len(), default_policy().as_object().unwrap().len());
    // What parts alpha has is shown where they are taken.
    let part = |name: &str| match name {
        "measurements" | "readings" => json!({"alpha_measurements": 0.02}),
        "alpha" => json!({"alpha_floor": 0.02}),
        "rule" => json!({"alpha_floor": null}),
        _ => json!({}),
    };
    for (name, value) in settings {
        assert_ne!(default_policy()[name], *value, "{name} differs from the default");
        let shown = policy_of(&server, &server.product(name), "1", &json!({name: value}));
        let mut wanted = default_but(&part(name));
        wanted[name] = value.clone();
        assert_eq!(shown, wanted, "{name} alone");
    }
    assert_eq!(policy_of(&server, &server.product("all"), "1", &all), all);
}

#[test]
fn what_is_absent_or_null_is_the_default() {
    let server = TestServer::start();
    let product = server.product("etl");
    let nulls: serde_json::Map<String, Value> = every_setting()
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (name.clone(), json!(null)))
        .collect();
    for (version, policy) in [("1", json!({})), ("2", json!(nulls)), ("3", Value::Null)] {
        assert_eq!(policy_of(&server, &product, version, &policy), default_policy());
    }
    let silent = product.release("4").create();
    assert_eq!(server.release(&silent)["policy"], default_policy());
    assert_eq!(server.get(&path(&product)).expect(200), default_policy());
}

#[test]
fn the_policy_of_a_product_is_that_of_its_later_releases_setting_by_setting() {
    let server = TestServer::start();
    let product = server.product("etl");
    let before = product.release("1").create();
    assert_eq!(put(&server, &product, &every_setting()).expect(200), every_setting());
    assert_eq!(server.get(&path(&product)).expect(200), every_setting());
    assert_eq!(server.release(&before)["policy"], default_policy(), "it was registered before");

    let silent = product.release("2").create();
    assert_eq!(server.release(&silent)["policy"], every_setting());
    server.act(&silent, "promote").expect(200);
    let shown = policy_of(
        &server,
        &product,
        "3",
        &json!({"rule": "threshold", "q": 0.1, "measurements": {"cpu": "low_is_bad"}}),
    );
    let mut wanted = every_setting();
    wanted["rule"] = json!("threshold");
    wanted["q"] = json!(0.1);
    wanted["measurements"] = json!({"cpu": "low_is_bad"});
    assert_eq!(shown, wanted);

    let other = server.product("web").release("1").create();
    assert_eq!(server.release(&other)["policy"], default_policy(), "another product's");
}

#[test]
fn the_policy_of_a_product_is_replaced_whole_and_survives_a_restart() {
    let server = TestServer::start();
    let product = server.product("etl");
    put(&server, &product, &every_setting()).expect(200);
    let wanted = default_but(&json!({"min_signals": 7, "alpha_measurements": 0.03}));
    let shown = put(&server, &product, &json!({"min_signals": 7, "alpha_measurements": 0.03}));
    assert_eq!(shown.expect(200), wanted, "what was set before is forgotten");
    for _ in 0..2 {
        assert_eq!(server.get(&path(&product)).expect(200), wanted);
        server.restart();
    }
    let release = product.release("1").create();
    assert_eq!(server.release(&release)["policy"], wanted);
    server.restart();
    assert_eq!(server.release(&release)["policy"], wanted);
    // What is shown can be sent back as it is.
    assert_eq!(put(&server, &product, &wanted).expect(200), wanted);
    assert_eq!(put(&server, &product, &json!({})).expect(200), default_policy());
}

/// Entries like those of `measurements`, as many as are asked for.
fn entries(count: usize) -> Value {
    (0..count).map(|number| (format!("m{number}"), json!("high_is_bad"))).collect()
}

/// Settings that cannot be: where they are wrong, and what the answer must say.
type Bad = (Value, &'static str, &'static str);

/// Numbers and words that cannot be, one setting at a time.
fn bad_values() -> Vec<Bad> {
    vec![
        (json!({"rule": "floor"}), "rule", "`floor` is unknown, accepted are threshold, ratio"),
        (json!({"alpha": 0}), "alpha", "alpha is 0, it must be from 0.000000001 to 0.5"),
        (json!({"alpha": 0.6}), "alpha", "alpha is 0.6, it must be from"),
        (json!({"alpha_floor": -0.01}), "alpha_floor", "is -0.01, it must be from 0 to 0.5"),
        (json!({"alpha_measurements": 0.7}), "alpha_measurements", "is 0.7, it must be from 0"),
        (json!({"rho0": 0.001}), "rho0", "rho0 is 0.001, it must be from 0.01 to 100"),
        (json!({"rho0": 101}), "rho0", "rho0 is 101, it must be from"),
        (json!({"rho": 1.4}), "rho", "rho is 1.4, it must be from 1.5 to 100"),
        (json!({"rho": 100.5}), "rho", "rho is 100.5, it must be from"),
        (json!({"q": 0}), "q", "q is 0, it must be from 0.000001 to 0.999999"),
        (json!({"q": 1}), "q", "q is 1, it must be from"),
        (json!({"beta": 0}), "beta", "beta is 0, it must be from"),
        (json!({"beta": 0.51}), "beta", "beta is 0.51, it must be from"),
        (json!({"holdback": -0.1}), "holdback", "holdback is -0.1, it must be from 0 to 0.9"),
        (json!({"holdback": 0.91}), "holdback", "holdback is 0.91, it must be from"),
        (json!({"min_signals": -1}), "min_signals", "is -1, it must be from 0 to 1000000 signals"),
        (json!({"min_signals": 1_000_001}), "min_signals", "is 1000001, it must be from"),
        (json!({"at_end": "stay"}), "at_end", "`stay` is unknown, accepted are promote, hold"),
        (
            json!({"on_insufficient": "x"}),
            "on_insufficient",
            "accepted are hold, promote, rollback",
        ),
        (json!({"on_supersede": "x"}), "on_supersede", "accepted are promote_if_healthy, abort"),
        (json!({"report_within": 0.5}), "report_within", "is 0.5, it must be from 1 to 2592000 s"),
        (json!({"report_within": 2_592_001}), "report_within", "is 2592001, it must be from"),
    ]
}

/// What is wrong in a way of its own: names, types, and settings that do not fit together.
fn bad_settings() -> Vec<Bad> {
    vec![
        (json!({"measurements": {"ms": "up"}}), "measurements/ms", "`up` is unknown, accepted are"),
        (json!({"readings": {"ms": ""}}), "readings/ms", "accepted are high_is_bad, low_is_bad"),
        (
            json!({"readings": {"pressure": "high_is_bad"}}),
            "readings/pressure",
            "type `pressure` is unknown, declared are `temperature`, `humidity`",
        ),
        (
            json!({"measurements": {"": "low_is_bad"}}),
            "measurements/",
            "is empty, it needs 1 to 64",
        ),
        (json!({"measurements": {"a/b~c": "x"}}), "measurements/a~1b~0c", "`x` is unknown"),
        (json!({"measurements": {"a.b/c": 5}}), "measurements/a.b~1c", "expected a string"),
        (json!({"measurements": entries(17)}), "measurements", "has 17 entries, at most 16 are"),
        (json!({"readings": entries(17)}), "readings", "has 17 entries, at most 16 are accepted"),
        (json!({"alpha_floor": 0.06}), "alpha_floor", "more than alpha (0.05)"),
        (
            json!({"alpha": 0.04, "alpha_floor": 0.02, "alpha_measurements": 0.03}),
            "alpha_floor",
            "alpha_floor (0.02) and alpha_measurements (0.03) together are more than alpha (0.04), of \
             which they are parts: lower one of them, or raise alpha",
        ),
        (
            json!({"alpha_measurements": 0, "readings": entries(1)}),
            "alpha_measurements",
            "get nothing of alpha (0.05): leave alpha_measurements out",
        ),
        (json!({"alpha": "high"}), "alpha", "invalid type: string \"high\", expected f64"),
        (json!({"early_promotion": 1}), "early_promotion", "expected a boolean"),
        (json!({"min_signals": 1.5}), "min_signals", "expected i64"),
        (json!({"measurements": ["ms"]}), "measurements", "expected a map"),
        (json!({"alpa": 0.1}), "alpa", "unknown field `alpa`, did you mean `alpha`?"),
    ]
}

/// What must be wrong with a body, once, and at which place.
#[track_caller]
fn assert_refused(answer: &Answer, pointer: &str, detail: &str) {
    assert_eq!(answer.expect_pointers(), [pointer], "{}", answer.text);
    let problem = answer.json();
    for told in [&problem["detail"], &problem["errors"][0]["detail"]] {
        assert!(told.as_str().is_some_and(|told| told.contains(detail)), "{detail}: {problem}");
    }
}

#[test]
fn a_policy_that_cannot_be_is_refused_with_its_place_and_what_to_change() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let before = server.release(&canary);
    for (policy, place, detail) in bad_values().into_iter().chain(bad_settings()) {
        let refused = product.release("0.0.3").with("policy", policy.clone()).send();
        assert_refused(&refused, &format!("/policy/{place}"), detail);
        assert_refused(&put(&server, &product, &policy), &format!("/{place}"), detail);
        let simulated = server.simulate(&canary, &json!({"policy": policy}));
        assert_refused(&simulated, &format!("/policy/{place}"), detail);
    }
    assert_eq!(server.release(&canary), before);
    assert_eq!(server.get(&path(&product)).expect(200), default_policy());
    let releases = server.get("/release").expect(200);
    assert_eq!(releases.as_array().unwrap().len(), 2, "nothing was registered");
}

#[test]
fn words_that_are_wrong_are_told_of_together_with_the_rest_of_the_body() {
    let server = TestServer::start();
    let product = server.product("etl");
    let policy = json!({"rule": "x", "at_end": "y", "readings": {"humidity": "z"}, "alpha": 0.1});
    let answer = product.release("1").with("policy", policy).with("threshold", 101).send();
    let mut pointers = answer.expect_pointers();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/policy/at_end", "/policy/readings/humidity", "/policy/rule", "/threshold"]
    );
}

#[test]
fn a_release_is_checked_together_with_what_its_product_sets() {
    let server = TestServer::start();
    let product = server.product("etl");
    put(&server, &product, &json!({"alpha": 0.2, "alpha_floor": 0.15})).expect(200);
    let refused = product.release("1").with("policy", json!({"alpha": 0.1})).send();
    assert_refused(&refused, "/policy/alpha_floor", "alpha_floor (0.15)");
    product.release("1").with("policy", json!({"alpha": 0.1, "alpha_floor": 0.05})).create();
}

#[test]
fn the_policy_of_a_product_that_is_not_there_is_neither_shown_nor_set() {
    let server = TestServer::start();
    for (id, status, code) in [(NOBODY, 404, "unknown_product"), ("etl", 400, "not_uuid")] {
        let path = format!("/product/{id}/policy");
        server.get(&path).expect_problem(status, code);
        let body: Option<&[u8]> = Some(b"{}");
        let answer = server.send("PUT", &path, &[JSON], body).expect("an answer");
        answer.expect_problem(status, code);
    }
    let product = server.product("etl");
    let body: Option<&[u8]> = Some(b"{");
    let answer = server.send("PUT", &path(&product), &[JSON], body).expect("an answer");
    answer.expect_problem(400, "not_json");
}
