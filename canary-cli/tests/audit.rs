//! The audit through the program itself, as a person sees it.

use std::process::{Command, Output, Stdio};

use canary_tests::{Http, Product, TestServer};
use serde_json::Value;

/// Runs the program with a key: its exit code, and what it wrote on both ways.
fn canary(http: &Http, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_canary"))
        .args(arguments)
        .env_clear()
        .env("CANARY_URL", http.url())
        .env("CANARY_TOKEN", http.key())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn who_did_what_is_listed_and_exported() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    server.pass_seconds(60);
    let product = Product::register(&admin, "etl");
    server.pass_seconds(60);
    let release = product.release("1.5.0").create();
    server.pass_seconds(60);
    admin.act(&release, "pause").expect(200);

    let (code, text, _) = canary(&admin, &["audit", "list", "--limit", "3"]);
    assert_eq!((code, text.lines().count()), (Some(0), 4), "{text}");
    let newest = text.lines().nth(1).expect("an entry");
    for part in ["2023-01-01T10:33:00Z", "127.0.0.1", "release.pause", "etl 1.5.0", "a reason"] {
        assert!(newest.contains(part), "{part} in {newest}");
    }
    let of = ["--output", "json", "--about", &release, "--until", "2023-01-01T10:33:00Z"];
    let (_, json, _) = canary(&admin, &[&["audit", "list"][..], &of].concat());
    let entries: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["after"]["version"], "1.5.0");

    let whole = admin.get("/audit?format=csv").text;
    let (code, rows, _) = canary(&admin, &["audit", "export"]);
    assert_eq!((code, rows.as_str(), whole.lines().count()), (Some(0), whole.as_str(), 5));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("audit.csv").display().to_string();
    let since = ["--since", "2023-01-01T10:32:00Z", "--file", &file];
    let (_, told, _) = canary(&admin, &[&["audit", "export"][..], &since].concat());
    assert_eq!(told, format!("wrote {file}\n"));
    assert_eq!(std::fs::read_to_string(&file).expect("a file").lines().count(), 3);
}

#[test]
fn who_may_not_look_is_told_what_it_takes() {
    let server = TestServer::start();
    let reader = server.key("default", &["read"]);
    let (code, text, error) = canary(&reader, &["audit", "list"]);
    assert_eq!((code, text.as_str()), (Some(1), ""));
    assert!(error.contains("this needs the scope `admin`, the key has read"), "{error}");
    let admin = server.key("default", &["admin"]);
    let (code, _, error) = canary(&admin, &["audit", "list", "--action", "promote"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("known are product.create"), "{error}");
}
