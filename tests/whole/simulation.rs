//! What another policy would have done with the runs of a canary.

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

/// A product with the stable release 0.0.1 and the canary 0.0.2, registered with these fields.
fn with_canary(server: &TestServer, name: &str, fields: &Value) -> (Product, String) {
    let product = server.product(name);
    product.release("0.0.1").with("is_canary", false).create();
    product.runs().of("0.0.1", "success", 30).send();
    server.pass_days(0.01);
    let fields = fields.as_object().expect("fields").iter();
    let release = fields.fold(product.release("0.0.2"), |release, (field, value)| {
        release.with(field, value.clone())
    });
    (product, release.create())
}

/// Polls, runs and reports, in each of the bands so often: the canary fails in one of so many of
/// its runs, the stable version in one of 25.
fn live(server: &TestServer, product: &Product, bands: usize, canary_fails: usize) {
    let mut runs = [0, 0];
    for band in 0..bands {
        if band > 0 {
            server.pass_days(0.4);
        }
        for _ in 0..60 {
            // Runs do not all come at once.
            server.pass_seconds(7);
            let latest = product.latest();
            let version = latest["semver_version"].as_str().expect("a version");
            let (count, one_in) = match version {
                "0.0.2" => (&mut runs[0], canary_fails),
                _ => (&mut runs[1], 25),
            };
            *count += 1;
            let status = if *count % one_in == 0 { "failed" } else { "success" };
            product.run(version, status).send().expect(201);
        }
    }
}

/// What a decision says, without what was known then, which simulations leave out. Nor is it said
/// when: here the clock jumps, and what was due meanwhile was done late in fact.
fn told(decision: &Value) -> Value {
    let mut decision = decision.clone();
    if decision.is_object() {
        decision["evidence"] = Value::Null;
        decision["at"] = Value::Null;
    }
    decision
}

fn runs_in(evidence: &Value) -> u64 {
    let of = |arm: &str, status: &str| evidence[arm][status].as_u64().expect("a count");
    ["canary", "stable"]
        .iter()
        .map(|arm| of(arm, "success") + of(arm, "failed") + of(arm, "neutral"))
        .sum()
}

/// A canary: its policy, of how many runs one fails, and by which rule it ends, if it does.
struct Case {
    name: &'static str,
    policy: Value,
    fails: usize,
    end: Option<(&'static str, &'static str)>,
}

const NEVER: usize = usize::MAX;

fn cases() -> Vec<Case> {
    let case = |name, policy, fails, end| Case { name, policy, fails, end };
    let back = |rule| Some(("rollback", rule));
    let floor_alone = json!({"alpha_floor": 0.05});
    let early = json!({"early_promotion": true, "q": 0.1});
    let ratio = json!({"rule": "ratio", "min_signals": 20, "rho0": 100});
    let unproven = json!({"at_end": "rollback", "q": 0.001});
    let too_few = json!({"on_insufficient": "rollback", "min_signals": 999});
    vec![
        case("good to the end", json!({}), NEVER, Some(("promote", "schedule"))),
        case("worse than the stable one", json!({}), 6, back("baseline")),
        case("below its threshold", floor_alone, 2, back("threshold")),
        case("proven good", early, NEVER, Some(("promote", "early_promotion"))),
        case("by the plain ratio", ratio, 4, back("ratio")),
        case("unproven", unproven, 30, back("at_end")),
        case("too few", too_few, 30, back("on_insufficient")),
        case("still running", json!({}), 30, None),
    ]
}

#[test]
fn the_policy_as_it_was_registered_decides_as_it_was_decided_in_fact() {
    let server = TestServer::start();
    for Case { name, policy, fails, end } in cases() {
        let (product, canary) = with_canary(&server, name, &json!({"policy": policy}));
        live(&server, &product, if end.is_some() { 5 } else { 3 }, fails);
        if let Some((action, rule)) = end {
            server.pass_days(1.0);
            assert_eq!(server.decided(&canary, action)["rule"], rule, "{name}");
        }
        let shown = server.release(&canary);
        let simulated = server.simulate(&canary, &json!({})).expect(200);
        check_shape(&server, &simulated, &shown);
        let in_fact: Vec<Value> = server.decisions(&canary).iter().map(told).collect();
        let decisions = simulated["decisions"].as_array().expect("decisions").iter();
        assert_eq!(decisions.map(told).collect::<Vec<_>>(), in_fact, "{name}");
        let (verdict, evidence) = (&shown["verdict"], &shown["verdict"]["evidence"]);
        assert_eq!(&simulated["actual"], verdict, "{name}");
        assert_eq!(told(&simulated["end"]), told(verdict), "{name}");
        let Some((_, rule)) = end else { continue };
        assert_eq!(simulated["runs"], runs_in(evidence), "{name}: with the very run");
        assert_eq!(simulated["suffered"], evidence["canary"]["failed"], "{name}");
        if ["threshold", "baseline", "ratio", "early_promotion"].contains(&rule) {
            assert_eq!(simulated["end"]["at"], verdict["at"], "{name}: a run ended it");
        }
    }
}

fn check_shape(server: &TestServer, simulated: &Value, release: &Value) {
    let fields: Vec<&str> =
        simulated.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        fields.join(" "),
        "release stable_version plan from to decisions end runs suffered canary stable actual"
    );
    let id = &release["id"];
    assert_eq!(
        simulated["release"],
        json!({"id": id, "semver_version": "0.0.2", "state": release["state"]})
    );
    assert_eq!(simulated["stable_version"], "0.0.1");
    assert_eq!(simulated["plan"]["begins_at"], release["release_date"]);
    for field in ["policy", "threshold", "canary_period", "band_count"] {
        assert_eq!(simulated["plan"][field], release[field], "{field}");
    }
    let counted = &server.signals(id.as_str().expect("an identifier"));
    for status in ["success", "failed", "neutral"] {
        assert_eq!(simulated["canary"][status], counted[status], "{status}");
    }
}

/// A canary that fails in every third run and was rolled back, with the decision that did it.
fn rolled_back(server: &TestServer) -> (String, Value) {
    let (product, canary) = with_canary(server, "etl", &json!({}));
    live(server, &product, 5, 3);
    let verdict = server.decided(&canary, "rollback");
    server.pass_days(1.0);
    (canary, verdict)
}

/// A threshold and a policy under which that canary is fine.
fn lax() -> Value {
    json!({"threshold": 50, "policy": {"alpha_floor": 0.05}})
}

#[test]
fn a_stricter_policy_ends_the_canary_sooner_and_a_laxer_one_promotes_it() {
    let server = TestServer::start();
    let (canary, verdict) = rolled_back(&server);
    let in_fact = runs_in(&verdict["evidence"]);
    for body in [json!({"threshold": 99}), json!({"policy": {"alpha": 0.5}})] {
        let stricter = server.simulate(&canary, &body).expect(200);
        assert_eq!(stricter["end"]["action"], "rollback", "{body}");
        assert!(stricter["runs"].as_u64() < Some(in_fact), "{body}: {stricter}");
        assert!(stricter["suffered"].as_u64() < verdict["evidence"]["canary"]["failed"].as_u64());
        assert_eq!(stricter["actual"], verdict);
    }
    let laxer = server.simulate(&canary, &lax()).expect(200);
    assert_eq!(
        json!([laxer["end"]["action"], laxer["end"]["rule"]]),
        json!(["promote", "schedule"])
    );
    let plan = &laxer["plan"];
    assert_eq!(json!([plan["threshold"], plan["policy"]["alpha_floor"]]), json!([50.0, 0.05]));
    assert_eq!(plan["policy"]["alpha"], 0.05, "what is absent is as it was registered");
    assert_eq!(laxer["suffered"], laxer["canary"]["failed"], "it would have suffered all of them");
    assert_eq!(laxer["actual"], verdict);
}

#[test]
fn the_period_and_the_bands_can_be_others() {
    let server = TestServer::start();
    let (canary, _) = rolled_back(&server);
    let simulate = |field: &str, value: Value| {
        let mut body = lax();
        body[field] = value;
        server.simulate(&canary, &body).expect(200)
    };
    for (days, at) in [(2.0, "2023-01-03T10:44:24Z"), (0.5, "2023-01-01T22:44:24Z")] {
        let simulated = simulate("canary_period", json!(days));
        assert_eq!(simulated["plan"]["begins_at"], "2023-01-01T10:44:24Z");
        assert_eq!(simulated["end"]["at"], at, "when its period is over");
        assert_eq!(simulated["plan"]["canary_period"], days);
    }
    for bands in [1, 2, 9] {
        let simulated = simulate("band_count", json!(bands));
        let decisions = simulated["decisions"].as_array().expect("decisions").iter();
        let advances = decisions.filter(|told| told["action"] == "advance").count();
        assert_eq!(advances, bands - 1);
        assert_eq!(simulated["plan"]["band_count"], bands);
    }
}

#[test]
fn nothing_is_changed_by_a_simulation() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, "etl", &json!({"policy": {"q": 0.2}}));
    live(&server, &product, 2, 9);
    let look = || {
        let metrics = server.metric("canary_commits_total");
        let latest = server.get(&format!("{}?instance_id=me", product.latest_path())).expect(200);
        (
            server.release(&canary),
            server.decisions(&canary),
            server.analysis(&canary),
            latest,
            metrics,
        )
    };
    let before = look();
    for body in [json!({}), json!({"threshold": 100}), json!({"canary_period": 0.00001})] {
        server.simulate(&canary, &body).expect(200);
    }
    assert_eq!(look(), before);
}

#[test]
fn measurements_of_the_runs_are_judged_again_too() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, "etl", &json!({}));
    let run = |version: &str, ms: usize| {
        product.run(version, "success").with("measurements", json!({"ms": ms}))
    };
    let runs = (0..800).fold(product.runs(), |all, number| {
        all.and(&match number % 4 {
            1 => run("0.0.2", 50 + number * 7 % 100),
            _ => run("0.0.1", number * 7 % 100),
        })
    });
    runs.send();
    assert_eq!(server.release(&canary)["state"], "running", "nobody looks at it");
    let watched = json!({"policy": {"measurements": {"ms": "high_is_bad"}}});
    let simulated = server.simulate(&canary, &watched).expect(200);
    assert_eq!(simulated["end"]["rule"], "measurement", "{simulated}");
    assert!(simulated["runs"].as_u64().unwrap() > 100, "the limits are learned first");
}

#[test]
fn a_simulation_that_cannot_be_is_refused() {
    let server = TestServer::start();
    let (product, canary) = with_canary(&server, "etl", &json!({}));
    product.runs().of("0.0.2", "success", 3).send();
    let cases = [
        (json!({"threshold": 101, "band_count": 0}), vec!["/threshold", "/band_count"]),
        (json!({"canary_period": 0}), vec!["/canary_period"]),
        (json!({"canary_period": -1, "policy": {"q": 2}}), vec!["/canary_period", "/policy/q"]),
        (json!({"treshold": 80}), vec!["/treshold"]),
        (json!({"policy": {"alpha_flor": 0.1}}), vec!["/policy/alpha_flor"]),
        (json!({"policy": []}), vec!["/policy"]),
    ];
    for (body, pointers) in cases {
        assert_eq!(server.simulate(&canary, &body).expect_pointers(), pointers, "{body}");
    }
    server
        .post_bytes(&format!("/release/{canary}/simulate"), &[], b"")
        .expect_problem(400, "not_json");

    let first = server.product("first").release("0.0.1").create();
    let problem = server.simulate(&first, &json!({})).expect_problem(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    let beginning = "`0.0.1` had no stable version beside it when it was registered";
    assert!(detail.starts_with(beginning), "{detail}");
}

#[test]
fn a_canary_without_a_run_is_what_time_makes_of_it() {
    let server = TestServer::start();
    let (_, canary) = with_canary(&server, "etl", &json!({}));
    server.pass_days(3.0);
    server.decided(&canary, "hold");
    let body = json!({"policy": {"on_insufficient": "promote"}, "band_count": 1});
    let simulated = server.simulate(&canary, &body).expect(200);
    assert_eq!((&simulated["from"], &simulated["to"]), (&Value::Null, &Value::Null));
    assert_eq!((&simulated["runs"], &simulated["end"]["action"]), (&json!(0), &json!("promote")));
    assert_eq!(simulated["end"]["at"], "2023-01-03T10:44:24Z");
    assert_eq!(simulated["actual"], Value::Null);
}
