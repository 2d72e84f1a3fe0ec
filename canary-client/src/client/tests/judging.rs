//! Policies, analyses and simulations: what is sent, and what is understood.

use serde_json::json;

use super::*;
use crate::types::policy::{AtEnd, Direction};
use crate::types::simulation::NewSimulation;

/// A test as findings have it.
fn sequential(max_log_e: impl Into<Value>) -> Value {
    let max_log_e = max_log_e.into();
    json!({"log_e": -0.5, "max_log_e": max_log_e, "log_e_needed": 3.2, "alpha": 0.04,
        "p_value": 0.3, "is_crossed": false, "unheard_of": 1})
}

fn findings() -> Value {
    json!({
        "threshold": {"rule": "threshold", "allowed_failure_rate": 0.2, "max_log_e": null,
            "alpha": 0.01, "p_value": 0.0, "min_signals": null, "is_crossed": true},
        "baseline": {"rho0": 1.0, "odds": [1.6], "weights": [1.0], "logs": [0.25],
            "open_block": {"canary_runs": 1, "canary_failed": 0, "stable_runs": 2,
                "stable_failed": 1},
            "test": sequential(1.25)},
        "measurements": [
            {"name": "latency_ms", "source": "signals", "direction": "high_is_bad",
                "learned_from": 7, "limits": null, "canary": null, "stable": null, "odds": [],
                "weights": [], "logs": null, "test": null},
            {"name": "humidity", "source": "readings", "direction": "low_is_bad",
                "learned_from": 100, "limits": [1.0, 2.0, 3.0],
                "canary": {"present": 4, "missing": 1, "beyond": [2, 1, 0]},
                "stable": {"present": 5, "missing": 0, "beyond": [0, 0, 0]},
                "odds": [1.15], "weights": [1.0], "logs": [[0.5], [0.0], [0.0], [0.0]],
                "test": sequential(0.5)},
        ],
        "proof": {"rho": 2.0, "q": null, "odds": [], "weights": [], "logs": [],
            "test": sequential(0.0)},
        "unheard_of": {},
    })
}

fn analysis(rest: &Value) -> String {
    let mut analysis = json!({
        "release": {"id": "r1", "semver_version": "1.1", "state": "running"},
        "stable_version": "1.0", "at": "2031-05-07T10:00:00Z", "band": 2, "share": 0.4,
        "canary": {"success": 9, "failed": 1, "neutral": 2, "success_rate": 90.0,
            "success_rate_low": 55.5, "success_rate_high": 99.75},
        "stable": {"success": 0, "failed": 0, "neutral": 0, "success_rate": null,
            "success_rate_low": null, "success_rate_high": null},
        "unreported": {"canary": 3, "stable": 4, "is_failed": true},
        "bands": [{"number": 1, "share": 0.2, "starts_at": "2031-05-07T10:00:00Z",
            "canary": {"success": 9, "failed": 1}, "stable": {"success": 0, "failed": 0}}],
        "findings": findings(), "outlook": null,
        "comparisons": {"failure_rate": null, "measurements": []}, "verdict": null,
        "unheard_of": [1],
    });
    let parts = analysis.as_object_mut().unwrap();
    parts.extend(rest.as_object().unwrap().clone());
    analysis.to_string()
}

#[test]
fn every_setting_of_a_policy_has_the_name_and_the_words_of_the_api() {
    let policy = Policy::default()
        .rule(ThresholdRule::Threshold)
        .alpha(0.02)
        .alpha_floor(0.004)
        .alpha_measurements(0.006)
        .rho0(1.5)
        .early_promotion(true)
        .rho(3.0)
        .q(0.01)
        .beta(0.1)
        .holdback(0.2)
        .min_signals(30)
        .at_end(AtEnd::Hold)
        .on_insufficient(OnInsufficient::Promote)
        .on_supersede(OnSupersede::PromoteIfHealthy)
        .report_within(Duration::from_millis(90_500))
        .count_repeats(false)
        .judge_measurement("latency_ms", Direction::HighIsBad)
        .judge_measurement("rows_per_s", Direction::LowIsBad)
        .judge_reading("humidity", Direction::HighIsBad);
    let want = json!({
        "rule": "threshold", "alpha": 0.02, "alpha_floor": 0.004, "alpha_measurements": 0.006,
        "rho0": 1.5, "early_promotion": true, "rho": 3.0, "q": 0.01, "beta": 0.1, "holdback": 0.2,
        "min_signals": 30, "at_end": "hold", "on_insufficient": "promote",
        "on_supersede": "promote_if_healthy", "report_within": 90.5, "count_repeats": false,
        "measurements": {"latency_ms": "high_is_bad", "rows_per_s": "low_is_bad"},
        "readings": {"humidity": "high_is_bad"},
    });
    assert_eq!(serde_json::to_value(&policy).unwrap(), want);
    assert_eq!(serde_json::from_value::<Policy>(want).unwrap(), policy);
    assert_eq!(serde_json::to_value(Policy::default()).unwrap(), json!({}));
}

#[test]
fn the_policy_of_a_product_is_asked_for_and_set() {
    let full = r#"{"rule":"threshold","alpha":0.05,"alpha_floor":0.01,"q":null,
        "report_within":null,"on_supersede":"a_word_of_later","measurements":{},"later":1}"#;
    let (client, script) = client([answer(200, full), answer(200, full)]);
    let policy = client.product_policy("p1").unwrap();
    assert_eq!((policy.alpha, policy.q), (Some(0.05), None));
    assert_eq!(policy.on_supersede.as_deref(), Some("a_word_of_later"));
    let set = client.set_product_policy("p1", &Policy::default().alpha(0.05)).unwrap();
    assert_eq!(set, policy);

    let requests = script.requests.lock().unwrap();
    let methods: Vec<_> = requests.iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "PUT"]);
    assert!(requests.iter().all(|request| request.target == "/product/p1/policy"));
    assert_eq!(json(&requests[1]), json!({"alpha": 0.05}));
}

#[test]
fn an_analysis_is_read_with_and_without_its_parts() {
    let full = analysis(&json!({
        "outlook": {"signals_missing": 2, "failures_to_rollback": 3,
            "successes_to_promotion": null, "sentence": "if its next 3 runs fail …"},
        "comparisons": {
            "failure_rate": {"canary": 0.1, "stable": 0.0, "difference": 0.1, "low": -0.1,
                "high": null},
            "measurements": [{"name": "latency_ms", "source": "signals",
                "canary": {"count": 2, "mean": 1.5, "minimum": 1.0, "quartile_1": 1.0,
                    "median": 1.5, "quartile_3": 2.0, "p90": 2.0, "p99": 2.0, "maximum": 2.0},
                "stable": {"count": 0, "mean": null},
                "welch": {"difference": 0.5, "low": null, "high": null,
                    "degrees_of_freedom": 1.0, "p_value": 0.5},
                "mann_whitney": {"u": 3.0, "p_value": 0.4, "probability_canary_higher": 0.75}}],
        },
    }));
    let ended = analysis(&json!({
        "stable_version": null,
        "findings": {"threshold": null, "baseline": null, "measurements": [], "proof": null},
        "verdict": {"at": "2031-05-07T10:00:00Z", "action": "rollback", "from": "running",
            "to": "rolled_back", "actor": "engine", "rule": "baseline", "sentence": "rolled back",
            "evidence": {"band": 1, "share": 0.2,
                "canary": {"success": 1, "failed": 4, "neutral": 0, "success_rate": 20.0},
                "stable": {"success": 9, "failed": 1, "neutral": 0},
                "unreported": {"canary": 1, "stable": 0, "is_failed": false},
                "findings": findings()}},
    }));
    let (client, script) = client([answer(200, &full), answer(200, &ended)]);

    let seen = client.analysis("r1").unwrap();
    assert_eq!((seen.canary.success_rate_high, seen.stable.success_rate), (Some(99.75), None));
    assert_eq!((seen.unreported.stable, seen.unreported.is_failed), (4, true));
    assert_eq!(seen.bands[0].canary.runs(), 10);
    assert_eq!(seen.outlook.unwrap().failures_to_rollback, Some(3));
    let threshold = seen.findings.threshold.unwrap();
    assert_eq!((threshold.max_log_e, threshold.is_crossed), (None, true));
    let baseline = seen.findings.baseline.unwrap();
    assert_eq!((baseline.test.max_log_e, baseline.open_block.stable_failed), (Some(1.25), 1));
    let [learning, compared] = seen.findings.measurements.as_slice() else { panic!() };
    assert_eq!((learning.learned_from, &learning.test), (7, &None));
    assert_eq!(compared.canary.as_ref().unwrap().beyond, [2, 1, 0]);
    let [latency] = seen.comparisons.measurements.as_slice() else { panic!() };
    assert_eq!((latency.canary.p99, latency.stable.count), (Some(2.0), 0));

    let ended = client.analysis("r1").unwrap();
    assert_eq!((ended.stable_version, ended.outlook), (None, None));
    let evidence = ended.verdict.unwrap().evidence().unwrap();
    assert_eq!((evidence.band, evidence.canary.failed), (1, 4));
    assert_eq!(evidence.unreported.canary, 1);
    assert_eq!(evidence.findings.proof.unwrap().rho, 2.0);
    assert_eq!(script.targets(), ["/release/r1/analysis", "/release/r1/analysis"]);
}

#[test]
fn a_simulation_sends_what_is_to_be_another_and_tells_both_ends() {
    let decision = |action: &str| {
        json!({"at": "2031-05-07T11:00:00Z", "action": action, "from": "band 1",
            "to": "rolled_back", "rule": "baseline", "sentence": "a sentence"})
    };
    let told = json!({
        "release": {"id": "r1", "semver_version": "1.1"}, "stable_version": "1.0",
        "plan": {"policy": {"alpha": 0.2}, "threshold": 99.0, "canary_period": 2.0,
            "band_count": 5, "begins_at": "2031-05-07T10:00:00Z"},
        "from": "2031-05-07T10:00:00Z", "to": "2031-05-09T10:00:00Z",
        "decisions": [decision("advance"), decision("rollback")], "end": decision("rollback"),
        "runs": 61, "suffered": 4, "canary": {"success": 90, "failed": 10, "neutral": 0},
        "stable": {"success": 900, "failed": 1, "neutral": 2}, "actual": decision("promote"),
        "later": true,
    });
    let quiet = json!({
        "release": {"id": "r1", "semver_version": "1.1", "state": "running"},
        "plan": told["plan"], "from": null, "to": null, "decisions": [], "end": null, "runs": 0,
        "suffered": 0, "canary": {}, "stable": {}, "actual": null,
    });
    let (client, script) =
        client([answer(200, &told.to_string()), answer(200, &quiet.to_string())]);
    let stricter = NewSimulation::default()
        .policy(Policy::default().alpha(0.2))
        .threshold(99.0)
        .canary_period(2.0)
        .band_count(5);
    let told = client.simulate("r1", &stricter).unwrap();
    assert_eq!((told.runs, told.suffered, told.stable.neutral), (61, 4, 2));
    assert_eq!(told.end.unwrap().action, "rollback");
    assert_eq!(told.actual.unwrap().action, "promote");
    assert_eq!(told.plan.policy, Policy::default().alpha(0.2));

    let quiet = client.simulate("r1", &NewSimulation::default()).unwrap();
    assert_eq!((quiet.end, quiet.actual, quiet.from), (None, None, None));

    let requests = script.requests.lock().unwrap();
    assert_eq!(requests[0].target, "/release/r1/simulate");
    let want = json!({"policy": {"alpha": 0.2}, "threshold": 99.0, "canary_period": 2.0,
        "band_count": 5});
    assert_eq!(json(&requests[0]), want);
    assert_eq!(json(&requests[1]), json!({}));
    assert_eq!(requests[0].body.as_ref().unwrap().idempotency_key, None);
}

#[test]
fn what_never_was_a_canary_is_a_conflict() {
    let problem = r#"{"code":"conflict","detail":"`1.0` is stable and never was a canary"}"#;
    let (client, _) = client([answer(409, problem), answer(409, problem)]);
    for error in [
        client.analysis("r1").unwrap_err(),
        client.simulate("r1", &NewSimulation::default()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
    }
}
