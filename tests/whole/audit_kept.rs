//! The audit is kept with what it tells of, and for those alone whom it concerns.

use canary_server::Settings;
use canary_server::clock::Clock as _;
use canary_server::organization::{self, OrganizationName};
use canary_tests::{Product, TestServer, block_on};
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};

use super::audit::{entries, put};

#[test]
fn a_commit_that_failed_leaves_no_entry() {
    let server = TestServer::start();
    let other = server.beside();
    server.post("/product", &Product::body("etl")).expect(201);
    // Where the other server has not heard of it yet, its commit fails.
    other.post("/product", &Product::body("etl")).expect_problem(409, "taken");
    assert_eq!(entries(&server).len(), 1);
    assert_eq!(entries(&other), entries(&server));
}

/// Runs a statement on the database.
fn execute(settings: &Settings, sql: &str) {
    block_on(async {
        let url = settings.database.reveal();
        let connection = Database::connect(url).await.expect("a connection");
        connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("it can be closed");
    });
}

/// Takes the name of a table away, so that nothing can be written to it, and gives it back.
fn without_table(server: &TestServer, table: &str, part: impl FnOnce()) {
    let settings = server.settings();
    execute(&settings, &format!("ALTER TABLE {table} RENAME TO elsewhere"));
    part();
    execute(&settings, &format!("ALTER TABLE elsewhere RENAME TO {table}"));
}

#[test]
fn what_cannot_be_noted_is_not_done() {
    let server = TestServer::start();
    without_table(&server, "audit", || {
        server.post("/product", &Product::body("etl")).expect_problem(500, "internal");
    });
    assert_eq!(server.get("/product").expect(200), json!([]));
    without_table(&server, "registry_audit", || {
        let key = json!({"name": "first", "scopes": ["admin"]});
        server.post("/key", &key).expect_problem(500, "internal");
        let acme = json!({"name": "acme"});
        server.post("/organization", &acme).expect_problem(500, "internal");
    });
    assert_eq!(server.get("/key").expect(200), json!([]));
    assert_eq!(server.get("/organization").expect(200).as_array().map(Vec::len), Some(1));
    assert_eq!(entries(&server), Vec::<Value>::new());
    server.post("/product", &Product::body("etl")).expect(201);
    server.post("/organization", &json!({"name": "acme"})).expect(201);
    assert_eq!(entries(&server).len(), 2);
}

#[test]
fn entries_are_reason_enough_to_keep_a_new_organization_out() {
    let server = TestServer::start();
    server.organization("acme");
    let acme = server.key("acme", &["admin"]);
    server.pass_seconds(1);
    // Of a type that is there from the start: nothing but the entry shows that somebody was here.
    let humidity = json!({"unit": "%", "minimum": 0, "maximum": 100, "integer": true});
    put(&acme, "/reading-type/humidity", &humidity).expect(200);
    assert_eq!(entries(&acme)[0]["before"]["unit"], "");
    let settings = server.settings();
    execute(&settings, "DELETE FROM organization WHERE name = 'acme'");
    let name = OrganizationName::parse("acme").expect("a name");
    let again = block_on(organization::create(&settings, &name, server.clock().now()));
    let refusal = again.expect_err("a refusal").to_string();
    assert!(refusal.contains("no new organization may see"), "{refusal}");
}

#[test]
fn each_organization_sees_its_own_entries_alone() {
    let server = TestServer::start();
    server.organization("acme");
    let (acme, default) = (server.key("acme", &["admin"]), server.key("default", &["admin"]));
    let before = entries(&default);
    let product = Product::register(&acme, "hidden");
    let canary = product.release("1").create();
    acme.act(&canary, "rollback").expect(200);
    put(&acme, "/reading-type/hidden", &json!({"minimum": 0, "maximum": 1})).expect(200);
    acme.post("/key", &json!({"name": "hidden", "scopes": ["read"]})).expect(201);
    assert_eq!(entries(&acme).len(), 6);
    assert_eq!(entries(&default), before);
    for about in [&product.id, &canary, "hidden"] {
        assert_eq!(default.get(&format!("/audit?about={about}")).expect(200), json!([]));
        assert_ne!(acme.get(&format!("/audit?about={about}")).expect(200), json!([]));
    }
}
