//! What servers make of keys that were made on their database.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use canary_server::DatabaseUrl;
use canary_server::clock::{Clock as _, System};
use canary_tests::{Http, SharedDatabase, TestServer, eventually};

use super::program::{Said, canary};
use super::{make, on};

fn with(server: &Http, key: &str, line: &str) -> Said {
    canary(server, &format!("{line} --token {key}"))
}

/// Waits until the server knows that there is a key.
fn until_closed(server: &Http) {
    eventually("the closed door", || (server.get("/product").status == 401).then_some(()));
}

/// Waits until the server knows that a key opens nothing.
#[track_caller]
fn until_refused(server: &Http, key: &str) -> Said {
    eventually("a refusal", || {
        let said = with(server, key, "product list");
        (said.code == Some(1)).then_some(said)
    })
}

#[test]
fn who_has_no_key_or_no_scope_is_told_what_to_do() {
    let server = TestServer::start();
    let database = server.settings().database;
    let product = server.product("etl");
    assert!(canary(&server, "product list").fine().contains("\netl "));

    let admin = make(&database, "--name operator --scope admin");
    let reader = make(&database, "--name reader --scope read");
    until_closed(&server);
    let said = canary(&server, "product list");
    let told = said.refused(1);
    assert!(told.starts_with("error: not authorized: a key is needed: "), "{told}");
    assert!(told.contains("\nhint: give a key with CANARY_TOKEN or --token; "), "{told}");
    eventually("the key", || {
        (with(&server, &reader, "product list").code == Some(0)).then_some(())
    });

    let line = format!("release create --artifact-url {} --semver-version 1", product.artifact_url);
    let said = with(&server, &reader, &line);
    let told = said.refused(1);
    let want = "error: not allowed: this needs the scope `release`, the key has read; use a key \
        that may do this (request ";
    assert!(told.starts_with(want), "{told}");
    assert!(told.contains("\nhint: give another key with CANARY_TOKEN or --token; "), "{told}");
    assert!(with(&server, &admin, &line).fine().starts_with("registered 1 as "));
    // What works on the database needs no key, and gets none.
    assert!(on(&database, "key list").fine().contains("\nreader "));
}

#[test]
fn keys_are_replaced_and_revoked_under_a_server_that_runs() {
    let server = TestServer::start();
    let database = server.settings().database;
    let first = make(&database, "--name worker --scope read");
    let second = on(&database, "key rotate worker --overlap 0").fine().trim().to_owned();
    server.clock().set(System.now());
    let told = until_refused(&server, &first).complaint;
    assert!(told.starts_with("error: not authorized: the key has expired at 20"), "{told}");
    let works = |key: &str| (with(&server, key, "product list").code == Some(0)).then_some(());
    eventually("the new key", || works(&second));

    let third = on(&database, "key rotate worker --overlap 2h").fine().trim().to_owned();
    eventually("the newest key", || works(&third));
    assert_eq!(works(&second), Some(()), "the old one opens what it did");
    on(&database, &format!("key revoke {second}")).fine();
    let told = until_refused(&server, &second).complaint;
    assert!(told.contains("the key is unknown or was revoked; set a valid key"), "{told}");
    assert_eq!(works(&third), Some(()));
    server.restart();
    assert_eq!((works(&third), works(&second), works(&first)), (Some(()), None, None));
}

#[test]
fn the_key_of_an_organization_leads_to_what_it_has() {
    let server = TestServer::start();
    let database = server.settings().database;
    let _product = server.product("etl");
    on(&database, "org create acme").fine();
    let key = make(&database, "--name operator --scope admin --organization acme");
    until_closed(&server);
    eventually("the organization", || {
        (with(&server, &key, "product list").code == Some(0)).then_some(())
    });
    assert_eq!(with(&server, &key, "product list").fine(), "no products\n");
    assert_eq!(with(&server, &key, "release list").fine(), "no releases\n");
}

/// Runs `canary serve` on any address: what it says until it listens, or until it ends.
fn serve(database: &DatabaseUrl, flags: &str) -> (bool, String) {
    let line = format!("serve --api-host 0.0.0.0 --api-port 0 {flags} --db-conn-string");
    let mut program = Command::new(env!("CARGO_BIN_EXE_canary"))
        .args(line.split_whitespace())
        .arg(database.reveal())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(program.stderr.take().expect("a pipe")).lines();
    let mut said = String::new();
    let listens = lines.any(|line| {
        said.push_str(&line.expect("UTF-8"));
        said.contains("listening on http://0.0.0.0:")
    });
    // It has ended if it does not listen.
    let _ = program.kill();
    program.wait().expect("it ends");
    (listens, said)
}

#[test]
fn without_a_key_it_takes_a_flag_to_serve_everybody() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    let (listens, said) = serve(&database, "");
    assert!(!listens && said.contains("error: there is no key, "), "{said}");
    assert!(said.contains("`canary key create`") && said.contains("--insecure"), "{said}");
    let (listens, said) = serve(&database, "--insecure");
    assert!(listens && said.contains("there is no key: everybody who reaches"), "{said}");
    make(&database, "--name operator --scope admin");
    let (listens, said) = serve(&database, "");
    assert!(listens && !said.contains("there is no key"), "{said}");
}
