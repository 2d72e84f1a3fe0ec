//! Keys are made, listed, replaced and revoked on a database.

use canary_server::DatabaseUrl;
use canary_tests::SharedDatabase;
use serde_json::{Value, json};

use super::{make, on};

fn list(database: &DatabaseUrl) -> Vec<Value> {
    let listed = on(database, "key list --output json").json();
    listed.as_array().expect("a list").clone()
}

/// What people see of a key: `canary_` and its prefix.
fn prefix(key: &str) -> &str {
    &key[..15]
}

#[test]
fn a_key_is_printed_once_and_alone_and_whoever_makes_the_first_is_warned() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    assert_eq!(on(&database, "key list").fine(), "no keys\n");
    let made = on(&database, "key create --name operator --scope admin");
    let key = made.fine().strip_suffix('\n').expect("a line").to_owned();
    assert!(key.starts_with("canary_") && key.len() == 59 && !key.contains(['\n', ' ']), "{key}");
    assert!(!made.complaint.contains(&key[16..]), "it is printed once");
    let note = "note: this is the key `operator` of the organization `default` (admin); keep it \
        now, it is not shown again\n";
    assert!(made.complaint.starts_with(note), "{}", made.complaint);
    assert!(made.complaint.contains("\nwarning: it is the first key, "), "{}", made.complaint);

    on(&database, "org create acme").fine();
    let line = "key create --name operator --scope admin --organization acme --output json";
    let made = on(&database, line);
    assert!(!made.complaint.contains("warning"), "{}", made.complaint);
    let of_acme = made.json();
    assert_eq!((&of_acme["name"], &of_acme["scopes"]), (&json!("operator"), &json!(["admin"])));
    assert!(of_acme["key"].as_str().is_some_and(|key| key.len() == 59), "{of_acme}");

    let listed = on(&database, "key list");
    assert_eq!(listed.fine().lines().count(), 2, "{}", listed.text);
    let line = listed.text.lines().nth(1).expect("the key");
    assert!(
        line.starts_with(&format!("operator  {}  admin   in force  20", prefix(&key))),
        "{line}"
    );
    let shown = format!("{} {:?}", listed.text, list(&database));
    assert!(!shown.contains(&key[16..]), "{shown}");
}

#[test]
fn a_key_has_the_scopes_and_the_end_that_were_said() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    let flags = "--scope signal,read --scope rollback,read --expires 2131-05-07 --output json";
    let key = on(&database, &format!("key create --name worker {flags}")).json();
    assert_eq!(key["scopes"], json!(["read", "signal", "rollback"]));
    assert_eq!(key["expires_at"], "2131-05-07T00:00:00Z");
    make(&database, "--name short --scope read --expires 12h");
    let listed = list(&database);
    let end = |key: &Value, field: &str| {
        let text = key[field].as_str().expect("a time").to_owned();
        text.parse::<jiff::Timestamp>().expect("RFC 3339").as_microsecond()
    };
    let lifetime = end(&listed[1], "expires_at") - end(&listed[1], "created_at");
    assert_eq!(lifetime, 12 * 3_600_000_000);
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_made() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    let key = make(&database, "--name worker --scope read");
    let before = list(&database);
    let slip = format!("canary_00000000{}", &key[15..]);
    let revoke_slip = format!("revoke {slip}");
    let cases = [
        ("create --name n", 2, "--scope <SCOPE>"),
        (
            "create --name n --scope root",
            2,
            "[possible values: read, signal, release, rollback, admin]",
        ),
        ("create --name n --scope read --expires 90", 2, "a date, or as 90d or 12h, got `90`"),
        (
            "create --name n --scope read --expires 2023-01-01",
            2,
            "2023-01-01T00:00:00Z is not in the future",
        ),
        ("create --name worker --scope read", 1, "name `worker` is taken by another key"),
        (
            "create --name n --scope read --organization acme",
            1,
            "organization `acme` is unknown\nhint: `canary org list`",
        ),
        ("create --name n --scope read --organization Acme", 2, "1 to 63 characters of a-z"),
        ("list --organization acme", 1, "organization `acme` is unknown"),
        ("rotate worker --overlap 31d", 2, "overlap is 2678400 s, at most 2592000 s are accepted"),
        ("rotate worker --overlap soon", 2, "got `soon`"),
        ("rotate nobody", 1, "no key has the id, name or prefix `nobody`\nhint: "),
        ("revoke 6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11", 1, "no key has the id"),
        (&revoke_slip, 1, "prefix `canary_00000000`\n"),
    ];
    for (line, code, want) in cases {
        let said = on(&database, &format!("key {line}"));
        assert!(said.refused(code).contains(want), "{line}\n{}", said.complaint);
        assert_eq!(said.text, "", "{line}");
        assert!(!said.complaint.contains(&key[16..]), "{line}\n{}", said.complaint);
    }
    assert_eq!(list(&database), before);
}

#[test]
fn a_key_is_replaced_and_revoked_by_whatever_names_it() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    let first = make(&database, "--name worker --scope read,signal");
    let rotated = on(&database, "key rotate worker --overlap 2h");
    let second = rotated.fine().trim().to_owned();
    assert_ne!(prefix(&first), prefix(&second));
    let told = format!("note: the old one, {}, opens what it did until 20", prefix(&first));
    assert!(rotated.complaint.contains(&told), "{}", rotated.complaint);
    assert!(!rotated.complaint.contains("warning"), "{}", rotated.complaint);

    // Both open doors now: which is meant must be said.
    let said = on(&database, "key revoke worker");
    let want =
        format!("names 2 keys: {} (replaced), {} (in force)", prefix(&first), prefix(&second));
    assert!(said.refused(1).contains(&want), "{}", said.complaint);
    let said = on(&database, &format!("key rotate {}", prefix(&first)));
    assert!(said.refused(1).contains("was replaced by"), "{}", said.complaint);

    let line =
        format!("key rotate {} --overlap 0 --expires 90d --output json", &prefix(&second)[7..]);
    let rotated = on(&database, &line);
    let third = rotated.json();
    assert_eq!((&third["name"], &third["scopes"]), (&json!("worker"), &json!(["read", "signal"])));
    assert!(third["expires_at"].is_string(), "{third}");
    let told = format!("note: the old one, {}, opens nothing any more\n", prefix(&second));
    assert!(rotated.complaint.ends_with(&told), "{}", rotated.complaint);

    let revoked = on(&database, &format!("key revoke {first}"));
    let told = format!("revoked `worker`, {}, at 20", prefix(&first));
    assert!(revoked.fine().starts_with(&told), "{}", revoked.text);
    // Only one of the three is left that opens anything.
    let revoked = on(&database, "key revoke worker --output json").json();
    assert_eq!((&revoked["id"], revoked["revoked_at"].is_string()), (&third["id"], true));
    let listed = on(&database, "key list");
    let states = ["revoked", "expired", "revoked"];
    for (line, state) in listed.fine().lines().skip(1).zip(states) {
        assert!(line.contains(&format!("  {state}  ")), "{state}\n{}", listed.text);
    }
    let twice = on(&database, &format!("key revoke {}", revoked["id"].as_str().expect("an id")));
    assert!(twice.fine().starts_with("revoked `worker`"), "{}", twice.text);
    let said = on(&database, &format!("key rotate {first}"));
    assert!(said.refused(1).contains("is revoked, make a new one"), "{}", said.complaint);
}
