//! What can be said with the flags, and what is answered to what cannot.

use clap::Parser;
use serde_json::json;

use super::*;

#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    policy: PolicyFlags,
}

fn parse(line: &str) -> Result<PolicyFlags, clap::Error> {
    let words = ["canary"].into_iter().chain(line.split_whitespace());
    Flags::try_parse_from(words).map(|flags| flags.policy)
}

#[test]
fn every_setting_has_a_flag() {
    let line = "--rule ratio --alpha 0.02 --alpha-floor 0.004 --alpha-measurements 0.006 \
        --rho0 1.5 --early-promotion --rho 3 -q 0.01 --beta 0.1 --holdback 0.2 --min-signals 30 \
        --at-end hold --on-insufficient promote --on-supersede abort --report-within 10m \
        --count-repeats=false --judge-measurement latency_ms=high_is_bad \
        --judge-measurement rows=low_is_bad --judge-reading temperature=low_is_bad";
    let want = json!({
        "rule": "ratio", "alpha": 0.02, "alpha_floor": 0.004, "alpha_measurements": 0.006,
        "rho0": 1.5, "early_promotion": true, "rho": 3.0, "q": 0.01, "beta": 0.1, "holdback": 0.2,
        "min_signals": 30, "at_end": "hold", "on_insufficient": "promote",
        "on_supersede": "abort", "report_within": 600.0, "count_repeats": false,
        "measurements": {"latency_ms": "high_is_bad", "rows": "low_is_bad"},
        "readings": {"temperature": "low_is_bad"},
    });
    let policy = parse(line).unwrap().policy();
    assert_eq!(serde_json::to_value(policy).unwrap(), want);
    assert_eq!(parse("").unwrap().given(), None);
    let none = parse("--judge-measurement none").unwrap().given().unwrap();
    assert_eq!(serde_json::to_value(none).unwrap(), json!({"measurements": {}}));
}

#[test]
fn a_value_that_cannot_be_is_answered_with_itself_and_the_limit() {
    let cases = [
        ("--alpha 2", "alpha is 2, it must be from 0.000000001 to 0.5"),
        ("--alpha NaN", "alpha must be a finite number, got NaN"),
        ("--alpha much", "invalid value 'much' for '--alpha <CHANCE>': it must be a number"),
        ("--alpha-floor 0.6", "alpha_floor is 0.6, it must be from 0 to 0.5"),
        ("--alpha-measurements=-1", "alpha_measurements is -1, it must be from 0 to 0.5"),
        ("--rho0 0", "rho0 is 0, it must be from 0.01 to 100"),
        ("--rho 1", "rho is 1, it must be from 1.5 to 100"),
        ("-q 0", "q is 0, it must be"),
        ("--q 1", "q is 1, it must be"),
        ("--beta 0.7", "beta is 0.7, it must be from 0.000000001 to 0.5"),
        ("--holdback 0.95", "holdback is 0.95, it must be from 0 to 0.9"),
        ("--min-signals 1000001", "min_signals is 1000001, it must be from 0 to 1000000 signals"),
        ("--min-signals 1.5", "it must be a whole number"),
        ("--report-within 0.5s", "report_within is 0.5, it must be from 1 to 2592000 s"),
        ("--report-within 10w", "must be seconds, or of the form 90s, 10m, 2h or 1d, got `10w`"),
        ("--rule floor", "[possible values: threshold, ratio]"),
        ("--at-end ask", "[possible values: promote, hold, rollback]"),
        ("--on-insufficient ask", "[possible values: hold, promote, rollback]"),
        ("--on-supersede ask", "[possible values: promote_if_healthy, abort, reject]"),
        ("--early-promotion=perhaps", "[possible values: true, false]"),
        ("--judge-measurement latency_ms", "it must be NAME=high_is_bad or NAME=low_is_bad"),
        (
            "--judge-measurement latency_ms=high",
            "direction `high` is unknown, accepted are high_is_bad, low_is_bad",
        ),
        (
            "--judge-reading temperature=cold",
            "direction `cold` is unknown, accepted are high_is_bad, low_is_bad",
        ),
    ];
    for (line, want) in cases {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        let value = line.rsplit([' ', '=']).next().unwrap();
        let text = error.to_string();
        assert!(text.contains(want) && text.contains(value), "{line}\n{text}");
    }
}
