//! Organizations: made, opened, kept where they should be.

use canary_server::clock::Clock as _;
use canary_server::organization::{self, OrganizationName};
use canary_tests::{Product, TestServer, block_on, eventually};
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::json;

/// The names of all organizations, as the server lists them.
fn names(http: &canary_tests::Http) -> Vec<String> {
    let listed = http.get("/organization").expect(200);
    let listed = listed.as_array().expect("a list");
    listed.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

/// Runs a statement on a database.
fn execute(url: &str, sql: &str) {
    block_on(async {
        let connection = Database::connect(url).await.expect("a connection");
        connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("it can be closed");
    });
}

#[test]
fn an_organization_is_made_with_everything_of_its_own() {
    let server = TestServer::start();
    assert_eq!(names(&server), ["default"]);
    let made = server.post("/organization", &json!({"name": "acme"})).expect(201);
    assert_eq!(
        (&made["name"], &made["created_at"]),
        (&json!("acme"), &json!("2023-01-01T10:30:00Z"))
    );
    for taken in ["acme", "default"] {
        let body = json!({"name": taken});
        server.post("/organization", &body).expect_problem(409, "taken");
    }
    for unfit in ["", "Acme", "1a", "a_b", "../acme", "a b", &"a".repeat(64)] {
        let answer = server.post("/organization", &json!({"name": unfit}));
        assert_eq!(answer.expect_pointers(), ["/name"], "{unfit}");
    }
    assert_eq!(server.post("/organization", &json!({})).expect_pointers(), ["/name"]);
    assert_eq!(names(&server), ["default", "acme"]);

    let (default, acme) = (server.key("default", &["admin"]), server.key("acme", &["admin"]));
    for http in [&default, &acme] {
        // The same name, the same answer to the same key, and two products.
        let product =
            http.post_with("/product", &[("Idempotency-Key", "k")], &Product::body("etl"));
        product.expect(201);
        assert_eq!(http.get("/product").expect(200).as_array().map(Vec::len), Some(1));
    }
    let id = |http: &canary_tests::Http| http.get("/product").expect(200)[0]["id"].clone();
    assert_ne!(id(&default), id(&acme));
    assert_eq!(names(&default), ["default", "acme"]);
    for refused in [acme.get("/organization"), acme.post("/organization", &json!({"name": "b"}))] {
        let problem = refused.expect_problem(403, "forbidden");
        let wanted =
            "this needs the scope `admin` of the organization `default`, the key has admin";
        assert_eq!(problem["detail"], wanted);
    }
}

#[test]
fn one_that_is_made_while_servers_run_is_open_on_each_of_them_and_led_by_one() {
    let server = TestServer::start();
    let other = server.beside();
    server.organization("acme");
    let acme = server.key("acme", &["admin"]);
    let product = Product::register(&acme, "etl");
    product.release("0.0.1").with("is_canary", false).create();
    let canary = product.release("0.0.2").create();
    let there = other.with_key(acme.key());
    // On SQLite each server keeps to what it has read, so that this one opens it only now.
    eventually("the release on the other server", || {
        (there.get(&format!("/release/{canary}")).status == 200).then_some(())
    });
    eventually("the second band", || {
        server.clock().advance(std::time::Duration::from_secs(300));
        acme.decisions(&canary).into_iter().find(|told| told["action"] == "advance")
    });
}

#[test]
fn organizations_survive_a_restart() {
    let server = TestServer::start();
    server.organization("acme");
    let acme = server.key("acme", &["admin"]);
    let product = Product::register(&acme, "etl");
    let stable = product.release("1").with("is_canary", false).create();
    product.report("1", "success", 3);
    let before = acme.release(&stable);
    server.restart();
    assert_eq!(acme.release(&stable), before);
    assert_eq!(names(&server.key("default", &["admin"])), ["default", "acme"]);
}

#[test]
fn tables_lie_where_they_should() {
    let server = TestServer::start();
    server.organization("acme-2");
    let acme = server.key("acme-2", &["admin"]);
    let _product = Product::register(&acme, "etl");
    let url = server.settings().database;
    let url = url.reveal();
    if let Some(file) =
        url.strip_prefix("sqlite://").and_then(|rest| rest.strip_suffix("?mode=rwc"))
    {
        let beside = file.replace("canary.db", "canary.acme-2.db");
        assert!(std::path::Path::new(&beside).is_file(), "{beside}");
        execute(&format!("sqlite://{beside}"), "DELETE FROM product WHERE name = 'etl'");
        // Organizations and keys are in the main file, and nowhere else.
        execute(&format!("sqlite://{file}"), "SELECT * FROM access_key JOIN organization");
        execute(&format!("sqlite://{beside}"), "CREATE TABLE access_key (a INTEGER)");
    } else {
        execute(url, "DELETE FROM org_acme_2.product WHERE name = 'etl'");
        execute(url, "SELECT * FROM public.access_key CROSS JOIN public.organization");
        execute(url, "CREATE TABLE org_acme_2.access_key (a INTEGER)");
    }
    server.restart();
    assert_eq!(acme.get("/product").expect(200), json!([]), "that was the row");
}

#[test]
fn what_is_lost_is_missed_and_not_made_anew() {
    let server = TestServer::start();
    server.organization("acme");
    let settings = server.settings();
    drop_tables(&settings, "acme");
    let refusal = TestServer::refusal(&settings).expect("a refusal");
    assert!(refusal.starts_with("cannot open the organization `acme`"), "{refusal}");
    assert!(refusal.contains("missing"), "{refusal}");
}

#[test]
fn one_that_cannot_be_opened_keeps_nobody_else_from_anything() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let url = server.settings().database;
    let id = if url.reveal().starts_with("sqlite") {
        "X'01990000000070008000000000000001'"
    } else {
        "'01990000-0000-7000-8000-000000000001'"
    };
    let sql = format!("INSERT INTO organization (id, name, created_at) VALUES ({id}, 'ghost', 0)");
    execute(url.reveal(), &sql);
    execute(url.reveal(), "UPDATE registry SET revision = revision + 1");
    let ghost = server.key("ghost", &["admin"]);
    for _ in 0..3 {
        let answer = ghost.get("/product");
        let problem = answer.expect_problem(503, "busy");
        assert_eq!(answer.header("Retry-After"), Some("1"));
        assert!(!problem["detail"].as_str().unwrap().contains("missing"), "{problem}");
    }
    assert_eq!(names(&admin), ["default", "ghost"]);
    let created = admin.post("/key", &json!({"name": "k", "scopes": ["read"]})).expect(201);
    let reader = server.with_key(created["key"].as_str().expect("a key"));
    assert_eq!(reader.get("/product").status, 200);
    let path = format!("/key/{}", created["id"].as_str().expect("an id"));
    admin.send("DELETE", &path, &[], None).expect("an answer").expect_status(204);
    reader.get("/product").expect_problem(401, "unauthorized");
}

#[test]
fn a_new_organization_never_sees_what_another_one_has_left() {
    let server = TestServer::start();
    server.organization("acme");
    let acme = server.key("acme", &["admin"]);
    let _product = Product::register(&acme, "etl");
    let settings = server.settings();
    let forget = "DELETE FROM organization WHERE name = 'acme'";
    execute(settings.database.reveal(), forget);
    let name = OrganizationName::parse("acme").expect("a name");
    let again = || block_on(organization::create(&settings, &name, server.clock().now()));
    let refusal = again().expect_err("a refusal").to_string();
    assert!(refusal.contains("no new organization may see"), "{refusal}");
    drop_tables(&settings, "acme");
    again().expect("an organization");
}

/// Removes everything of an organization but its row.
fn drop_tables(settings: &canary_server::Settings, name: &str) {
    let url = settings.database.reveal();
    match url.strip_prefix("sqlite://").and_then(|rest| rest.strip_suffix("?mode=rwc")) {
        Some(file) => {
            let beside = file.replace("canary.db", &format!("canary.{name}.db"));
            std::fs::remove_file(beside).expect("there is a file");
        }
        None => execute(url, &format!("DROP SCHEMA org_{name} CASCADE")),
    }
}
