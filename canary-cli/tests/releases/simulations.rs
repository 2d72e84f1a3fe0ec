//! What another policy would have done.

use canary_tests::{Product, TestServer, eventually};
use serde_json::{Value, json};

use crate::program::{canary, canary_fed};
use crate::runs::report;

/// A canary that fails in every tenth run, and a stable version in none: a run of each every two
/// minutes. Gives the same runs as the rows of a file.
fn play(server: &TestServer, product: &Product) -> String {
    let mut rows = "created_date,semver_version,status,instance_id\n".to_owned();
    for run in 0..300 {
        for version in ["0.0.1", "0.0.2"] {
            let is_failed = version == "0.0.2" && run % 10 == 3;
            let status = if is_failed { "failed" } else { "success" };
            let instance = format!("{version}-{run}");
            let signal = product.signal(version, status).with("instance_id", instance.as_str());
            signal.send().expect(201);
            let second = 1_672_569_000 + run * 120;
            rows.push_str(&format!("{second},{version},{status},{instance}\n"));
        }
        server.pass_days(120.0 / 86_400.0);
    }
    rows
}

#[test]
fn a_simulation_tells_what_would_have_been_and_changes_nothing() {
    let server = TestServer::start();
    let product = server.product("etl");
    product.release("0.0.1").with("is_canary", json!(false)).create();
    // The comparison is off, so that the canary stays.
    let policy = json!({"alpha_floor": 0.05});
    let id = product.release("0.0.2").with("policy", policy).create();
    let rows = play(&server, &product);
    let before = server.release(&id);
    assert_eq!(before["state"], "running");

    let flags = "--alpha-floor 0.01";
    let told = canary(&server, &format!("release simulate {id} {flags}"));
    assert!(told.fine().contains("\nend          rolled back           still a canary\n"));
    assert!(told.text.contains("0.0.2 fails more often"), "{}", told.text);
    assert!(told.text.lines().all(|line| line.chars().count() <= 80), "{}", told.text);
    let of_server = canary(&server, &format!("release simulate {id} {flags} --output json")).json();
    assert_eq!(of_server["end"]["action"], "rollback");
    assert_eq!((&of_server["canary"]["failed"], &of_server["actual"]), (&json!(30), &Value::Null));
    let kept = canary(&server, &format!("release simulate {id} --output json")).json();
    assert_eq!(kept["end"], Value::Null);

    // The same runs from a file are told of in the same way, without a server.
    let nowhere = "http://127.0.0.1:1";
    let line = "release simulate --csv - --canary 0.0.2 --stable 0.0.1 --output json";
    let of_file = canary_fed(nowhere, line, &rows).json();
    for part in ["runs", "suffered", "canary", "stable"] {
        assert_eq!(of_file[part], of_server[part], "{part}");
    }
    for part in ["at", "rule", "sentence"] {
        assert_eq!(of_file["end"][part], of_server["end"][part], "{part}");
    }
    assert_eq!(server.release(&id), before);
}

#[test]
fn what_was_in_fact_stands_beside_a_simulation() {
    let server = TestServer::start();
    let (product, id) = server.product_with_canary();
    report(&server, &product, "0.0.1", "success", 50);
    report(&server, &product, "0.0.2", "success", 45);
    report(&server, &product, "0.0.2", "failed", 1);
    server.pass_days(2.0);
    eventually("the promotion", || (server.release(&id)["state"] == "promoted").then_some(()));
    let told = canary(&server, &format!("release simulate {id} --at-end hold --min-signals 100"));
    assert!(told.fine().contains("\nend          still a canary  promoted\n"), "{}", told.text);
    assert!(told.text.contains("\nafter        -               2 days\n"), "{}", told.text);
    assert!(told.text.contains("\nfailed runs  1               1\n"), "{}", told.text);
    assert!(told.text.contains("  held 0.0.2: only 46 runs were reported"), "{}", told.text);
    assert!(told.text.contains("\nin fact: promoted 0.0.2: 45 of 46"), "{}", told.text);
    let said = canary(&server, "release simulate --product etl --version 0.0.1");
    assert!(said.refused(1).contains("never was a canary"), "{}", said.complaint);
}

#[test]
fn a_file_is_simulated_without_a_server_and_its_faults_are_told() {
    let simulate = |flags: &str, rows: &str| {
        let line = format!("release simulate --csv - --canary 2 --stable 1 {flags}");
        canary_fed("http://127.0.0.1:1", &line, rows)
    };
    let mut rows = "when,version,state\n".to_owned();
    for second in 0..10 {
        rows.push_str(&format!("{second},1,success\n{second},2,failed\n{second},3,failed\n"));
    }
    let map = "--map created_date=when --map status=state";
    let told = simulate(map, &rows);
    assert!(told.fine().contains("\nfailed runs  4                     10\n"), "{}", told.text);
    assert!(told.text.ends_with("\npassed over: 10 runs of other versions\n"), "{}", told.text);
    let said = simulate(&format!("{map} --alpha 2"), &rows);
    assert!(said.refused(2).contains("alpha is 2, it must be from 0.000000001 to 0.5"));
    let said = simulate("--map created_date=when", &rows);
    assert!(said.refused(2).contains("the file has no column for `status`"), "{}", said.complaint);
    let said = simulate(map, "when,version,state\n1,3,ok\n");
    let complaint = "error: -: there is no run of `2`\nhint: there are runs of 3\n";
    assert_eq!(said.refused(1), complaint);
    rows.push_str("soon,2,failed\n");
    let told = simulate(map, &rows);
    assert_eq!(told.code, Some(1));
    assert!(told.text.contains("1 row cannot be read:\nline 32: created_date must be RFC 3339"));
}
