//! The schema is brought up to date, shown, and taken back.

use canary_server::DatabaseUrl;
use canary_tests::SharedDatabase;
use serde_json::{Value, json};

use super::on;

fn current(database: &DatabaseUrl, flags: &str) -> Vec<Value> {
    let told = on(database, &format!("db current {flags} --output json")).json();
    told.as_array().expect("a list").clone()
}

/// Lineage and organization of each line, and whether any step is there.
fn places(current: &[Value]) -> Vec<(&str, &str, bool)> {
    fn place(line: &Value) -> (&str, &str, bool) {
        let word = |value: &'static str| line[value].as_str().expect("a word");
        (word("lineage"), word("organization"), line["step"].is_string())
    }
    current.iter().map(place).collect()
}

#[test]
fn an_empty_database_gets_its_schema_and_tells_of_it() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    let nothing = current(&database, "");
    assert_eq!(places(&nothing), [("public", "default", false), ("org", "default", false)]);
    let missing = on(&database, "db status");
    assert!(missing.fine().starts_with("LINEAGE  ORGANIZATION  STEP "), "{}", missing.text);
    assert!(
        missing.text.lines().skip(1).all(|line| line.ends_with("  missing")),
        "{}",
        missing.text
    );

    let upgraded = on(&database, "db upgrade");
    assert_eq!(upgraded.fine(), missing.text.replace("missing", "applied"));
    assert_eq!(on(&database, "db upgrade").fine(), "the database has the newest schema\n");
    assert_eq!(on(&database, "db status").fine(), upgraded.text);
    assert_eq!(on(&database, "db upgrade --output json").json(), json!([]));
    let now = current(&database, "");
    assert_eq!(places(&now), [("public", "default", true), ("org", "default", true)]);
    let newest = now[1]["step"].as_str().expect("a step");
    let last = upgraded.text.lines().last().expect("a step");
    assert!(last.contains(newest) && last.starts_with("org      default"), "{last}");
    assert_eq!(current(&database, "--name public"), now[..1]);
}

#[test]
fn steps_are_taken_back_in_one_place_and_only_if_that_is_said() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    on(&database, "org create acme").fine();
    let before = current(&database, "");
    let of_acme = before[2].clone();
    for schema in ["acme", "org_acme"] {
        assert_eq!(current(&database, &format!("--schema {schema}")), before[2..]);
    }
    assert_eq!(current(&database, "--schema public"), before[..2]);

    let said = on(&database, "db downgrade --name org --schema acme");
    let told = "error: what is stored in the tables of the steps would be lost\nhint: give --yes";
    assert!(said.refused(2).starts_with(told), "{}", said.complaint);
    assert_eq!(current(&database, ""), before);

    let undone = on(&database, "db downgrade --name org --schema org_acme --yes");
    let line = undone.fine().lines().nth(1).expect("a step");
    assert!(line.starts_with("org      acme ") && line.ends_with("  taken back"), "{line}");
    assert!(line.contains(of_acme["step"].as_str().expect("a step")), "{line}");
    let now = current(&database, "");
    assert_eq!(now[..2], before[..2]);
    assert_ne!(now[2], of_acme);

    let status = on(&database, "db status --schema acme");
    let missing = status.fine().lines().filter(|line| line.ends_with("  missing"));
    assert_eq!(missing.count(), 1, "{}", status.text);
    let other = on(&database, "db upgrade --name org --schema default");
    assert_eq!(other.fine(), "the database has the newest schema\n");
    on(&database, "db upgrade --schema acme").fine();
    assert_eq!(current(&database, ""), before);

    on(&database, "db downgrade --schema acme --steps 99 --yes").fine();
    assert_eq!(current(&database, "--schema acme")[0]["step"], Value::Null);
    let again = on(&database, "db downgrade --schema acme");
    assert_eq!(again.fine(), "there was nothing to take back\n");
}

#[test]
fn what_cannot_be_taken_back_or_found_is_refused() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    on(&database, "org create acme").fine();
    on(&database, "key create --name operator --scope admin").fine();
    let before = current(&database, "");
    for (line, code, want) in [
        ("downgrade --steps 9 --yes", 1, "there are 1 keys and 1 organizations beside `default`"),
        ("downgrade --name public --steps 2 --yes", 1, "which would be lost"),
        ("downgrade --steps 0 --yes", 2, "0 is not in 1.."),
        ("downgrade --name everything --yes", 2, "[possible values: public, org]"),
        ("upgrade --name public --schema acme", 2, "in the place of `default`, not of `acme`"),
        ("status --schema nobody", 1, "organization `nobody` is unknown\nhint: `canary org list`"),
        ("current --schema org_nobody", 1, "organization `nobody` is unknown"),
        ("current --schema org_Acme", 2, "`org_Acme` is the schema of no organization"),
    ] {
        let said = on(&database, &format!("db {line}"));
        assert!(said.refused(code).contains(want), "{line}\n{}", said.complaint);
    }
    assert_eq!(current(&database, ""), before);
}
