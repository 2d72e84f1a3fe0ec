//! Simulations: those of files, from bytes to what is said; those of a server, what is said.

use std::io::Write as _;

use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    simulate: Simulate,
}

fn parse(line: &str) -> Result<Simulate, clap::Error> {
    let words = ["canary"].into_iter().chain(line.split_whitespace());
    Line::try_parse_from(words).map(|line| line.simulate)
}

/// A file with this text, in a folder that goes when it is dropped.
fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::File::create(&path).unwrap().write_all(text.as_ref()).unwrap();
    (folder, path.display().to_string())
}

/// Simulates a file with these flags, of canary 2 and stable version 1.
fn replay(name: &str, text: impl AsRef<[u8]>, flags: &str) -> Result<replayed::Replayed, Failure> {
    let (_folder, path) = file(name, text);
    let line = format!("--csv {path} --canary 2 --stable 1 {flags}");
    let mut simulate = parse(&line).map_err(|error| Failure::usage(error.to_string()))?;
    let path = simulate.runs.csv.take().unwrap();
    let trial = simulate.trial()?;
    simulate.runs.replay(&path, trial)
}

fn text(replayed: &replayed::Replayed) -> String {
    Account::of_file(replayed).text()
}

/// Each minute one run of both versions; the canary fails in every third.
fn failing() -> String {
    let mut text = "created_date,version,status,instance_id\n".to_owned();
    for minute in 0..60 {
        let second = 1_700_000_000 + minute * 60;
        let status = if minute % 3 == 0 { "failed" } else { "ok" };
        text.push_str(&format!("{second},1,success,a{minute}\n{second},2,{status},b{minute}\n"));
    }
    text
}

#[test]
fn a_file_is_gone_through_and_told_of() {
    let replayed = replay("runs.csv", failing(), "--threshold 95").unwrap();
    insta::assert_snapshot!("of_a_file", text(&replayed));
    assert!(replayed.is_whole());
    let json = serde_json::to_value(&replayed).unwrap();
    let fields: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "release",
            "stable_version",
            "plan",
            "from",
            "to",
            "decisions",
            "end",
            "runs",
            "suffered",
            "canary",
            "stable",
            "rows"
        ]
    );
    assert_eq!(json["end"]["action"], "rollback");
    assert_eq!(json["end"]["rule"], "threshold");
    assert_eq!(json["plan"]["policy"]["alpha"], 0.05);
    assert_eq!(json["plan"]["begins_at"], "2023-11-14T22:13:20Z");
}

#[test]
fn the_order_of_the_rows_does_not_matter_and_neither_do_form_and_packing() {
    let csv = failing();
    let want = text(&replay("runs.csv", &csv, "").unwrap());
    let (names, rows) = csv.split_once('\n').unwrap();
    let mut backwards: Vec<_> = rows.lines().collect();
    backwards.reverse();
    // Of the two runs of a second, the stable one came first.
    backwards.chunks_mut(2).for_each(|pair| pair.swap(0, 1));
    let backwards = format!("{names}\n{}\n", backwards.join("\n"));
    assert_eq!(text(&replay("runs.csv", backwards, "").unwrap()), want);

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(csv.as_bytes()).unwrap();
    assert_eq!(text(&replay("runs", gzip.finish().unwrap(), "").unwrap()), want);

    let ndjson: String = rows
        .lines()
        .map(|row| {
            let values: Vec<_> = row.split(',').collect();
            let [date, version, status, instance] = values[..] else { panic!("{row}") };
            let row = json!({"created_date": date, "semver_version": version, "state": status,
                "instance_id": instance});
            format!("{row}\n")
        })
        .collect();
    assert_eq!(text(&replay("runs.ndjson", ndjson, "--map status=state").unwrap()), want);
}

#[test]
fn rows_that_are_passed_over_are_counted() {
    let rows = "created_date,semver_version,status\n\
        10,1,ok\n\
        20,1,failed\n\
        15,3,ok\n\
        30,2,ok\n\
        40,1,ok\n\
        soon,2,ok\n\
        50,2,fine\n\
        50,2\n";
    let replayed = replay("runs.csv", rows, "").unwrap();
    assert!(!replayed.is_whole());
    let rows = &replayed.rows;
    assert_eq!((rows.read, rows.of_other_versions, rows.before_the_canary), (8, 1, 2));
    assert_eq!((replayed.canary.success, replayed.stable.failed), (1, 0));
    let told = text(&replayed);
    let tail = "passed over: 1 run of other versions, and 2 runs of 1 from before the first of 2\n\n\
        3 rows cannot be read:\n\
        line 7: created_date must be RFC 3339 or epoch seconds, got `soon`\n\
        line 8: status `fine` is unknown, accepted are success (ok";
    assert!(told.contains(tail), "{told}");
    assert!(told.ends_with("\nline 9: 2 values under 3 names"), "{told}");
    assert!(told.contains("end          still a canary  -"), "{told}");
}

#[test]
fn a_measurement_is_judged_where_the_policy_says_so() {
    let mut rows = "created_date,semver_version,status,latency,measurements.junk\n".to_owned();
    for run in 0..3_000 {
        let base = 100 + run * 37 % 100;
        let (one, other) = (base, base + 60);
        rows.push_str(&format!("{run},1,ok,{one},x\n{run},2,ok,{other},\n"));
    }
    let flags = "--map measurements.latency_ms=latency";
    assert!(replay("runs.csv", &rows, flags).unwrap().end.is_none());
    let judged = format!("{flags} --judge-measurement latency_ms=high_is_bad");
    let end = replay("runs.csv", &rows, &judged).unwrap().end.unwrap();
    assert!(end.sentence.contains("latency_ms was above"), "{}", end.sentence);
}

#[test]
fn what_cannot_be_gone_through_is_told() {
    let rows = "created_date,semver_version,status\n1,2,ok\n2,4,ok\n3,5,ok\n";
    let cases = [
        (rows, "", 1, "runs.csv: there is no run of `1`\nhint: there are runs of 4, 5"),
        ("created_date,semver_version,status\n1,1,ok\n", "", 1, "there is no run of `2`\n"),
        (
            "created_date,semver_version,status\n1,1,ok\n2,2,ok\n",
            "",
            1,
            "there is no run of `1` after the first of `2`\n",
        ),
        ("created_date,semver_version\n", "", 2, "the file has no column for `status`\n"),
        ("created_date,status\n", "", 2, "the file has no column for `semver_version`\n"),
        (rows, "--map status=stat", 2, "has no column `stat`\nhint: did you mean `status`?"),
        (
            rows,
            "--alpha 0.01 --alpha-floor 0.02",
            2,
            "alpha_floor (0.02) and alpha_measurements (0) together are more than alpha (0.01)",
        ),
    ];
    for (rows, flags, code, want) in cases {
        let failure = replay("runs.csv", rows, flags).unwrap_err();
        assert_eq!(failure.exit_code(), code, "{}", failure.text());
        assert!(failure.text().contains(want), "{}", failure.text());
    }
    let missing = parse("--csv /none/runs.csv --canary 2 --stable 2").unwrap();
    let trial = missing.trial().unwrap();
    let failure = missing.runs.replay("/none/runs.csv".as_ref(), trial).unwrap_err();
    assert!(failure.text().contains("canary and stable version are both `2`"));
}

#[test]
fn a_simulation_is_of_a_release_or_of_a_file() {
    let cases = [
        ("r1", true),
        ("--product etl --version 2", true),
        ("--csv a.csv --canary 2 --stable 1", true),
        ("r1 --alpha 0.01 --threshold 99 --canary-period 1 --band-count 2", true),
        ("", false),
        ("--product etl", false),
        ("r1 --csv a.csv --canary 2 --stable 1", false),
        ("--product etl --version 2 --csv a.csv --canary 2 --stable 1", false),
        ("--csv a.csv --canary 2", false),
        ("--csv a.csv --stable 1", false),
        ("r1 --canary 2", false),
        ("r1 --map status=state", false),
        ("--csv a.csv --canary 2 --stable 1 --judge-reading humidity=low_is_bad", false),
        ("--csv a.csv --canary 2 --stable 1 --report-within 10m", false),
        ("r1 --alpha 2", false),
        ("r1 --threshold 101", false),
    ];
    for (line, want) in cases {
        let parsed = parse(line);
        assert_eq!(parsed.is_ok(), want, "{line}");
        if let Err(error) = parsed {
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}

/// What a server says of a simulation.
fn of_server(rest: &Value) -> String {
    let mut simulation = json!({
        "release": {"id": "r1", "semver_version": "1.5.0"}, "stable_version": "1.4.0",
        "plan": {"policy": {"rule": "threshold", "alpha": 0.2, "alpha_floor": 0.04},
            "threshold": 99.0, "canary_period": 2.0, "band_count": 5,
            "begins_at": "2031-05-07T10:00:00Z"},
        "from": "2031-05-07T10:00:00.5Z", "to": "2031-05-09T10:00:00Z", "decisions": [],
        "end": null, "runs": 0, "suffered": 2,
        "canary": {"success": 90, "failed": 37, "neutral": 0},
        "stable": {"success": 900, "failed": 1, "neutral": 2}, "actual": null,
    });
    let parts = simulation.as_object_mut().unwrap();
    parts.extend(rest.as_object().unwrap().clone());
    Account::of_server(&serde_json::from_value(simulation).unwrap()).text()
}

#[test]
fn what_would_have_been_stands_beside_what_was() {
    let rollback = json!({"at": "2031-05-07T10:40:00Z", "action": "rollback", "rule": "baseline",
        "sentence": "rolled back 1.5.0: 4 of 30 runs failed, of 1.4.0 meanwhile 0 of 31: it fails \
            more often (rule baseline, p ≤ 0.04); everybody gets 1.4.0 again; register the mended \
            software as a new version"});
    let advance = json!({"at": "2031-05-07T10:20:00Z", "action": "advance", "rule": "schedule",
        "sentence": "advanced 1.5.0 to band 2 of 5"});
    let promote = json!({"at": "2031-05-09T10:00:00.25Z", "action": "promote", "rule": "schedule",
        "sentence": "promoted 1.5.0: 90 of 100 runs succeeded over its period of 2 days",
        "evidence": {"canary": {"success": 90, "failed": 10}, "stable": {"success": 9, "failed": 0}}
    });
    let both = json!({"decisions": [advance, rollback], "end": rollback, "actual": promote});
    insta::assert_snapshot!("of_a_server", of_server(&both));
}

#[test]
fn what_has_no_end_is_still_a_canary() {
    let readings = json!({"readings": {"humidity": "low_is_bad"}, "report_within": 60.0});
    let plan = json!({"policy": readings, "threshold": 80.0, "canary_period": 1.0,
        "band_count": 1, "begins_at": "2031-05-07T10:00:00Z"});
    let told = of_server(&json!({"plan": plan, "from": null, "to": null}));
    insta::assert_snapshot!("without_an_end", told);
}
