//! The audit: each change that somebody asked for leaves one entry, and nothing else does.

use canary_tests::{Answer, Http, JSON, Product, TestServer};
use serde_json::{Value, json};

/// A server with an operator, and what was seen of its audit so far.
struct Watched {
    server: TestServer,
    operator: Http,
    /// What entries say of the operator.
    actor: Value,
    seen: usize,
}

impl Watched {
    fn start() -> Self {
        Self::on(TestServer::start())
    }

    fn on(server: TestServer) -> Self {
        let admin = server.key("default", &["admin"]);
        let body = json!({"name": "operator", "scopes": ["admin"]});
        let key = admin.post("/key", &body).expect(201);
        let operator = admin.with_key(key["key"].as_str().expect("a key"));
        let (id, prefix) = (&key["id"], &key["prefix"]);
        let actor =
            json!({"kind": "key", "id": id, "name": "operator", "prefix": prefix, "user": null});
        let seen = entries(&operator).len();
        assert_eq!(seen, 2, "two keys were made");
        Self { server, operator, actor, seen }
    }

    /// The one entry of what was just done, by the operator, over HTTP.
    #[track_caller]
    fn one_more(&mut self, action: &str, about: [&str; 3]) -> Value {
        let entries = entries(&self.operator);
        assert_eq!(entries.len(), self.seen + 1, "{action}: {:?}", entries.first());
        self.seen += 1;
        let entry = entries[0].clone();
        assert_eq!((&entry["action"], &entry["actor"]), (&json!(action), &self.actor), "{entry}");
        let [kind, id, name] = about;
        assert_eq!(entry["about"], json!({"kind": kind, "id": id, "name": name}));
        assert_eq!(entry["remote_address"], "127.0.0.1");
        assert!(entry["request_id"].as_str().is_some_and(|id| id.len() > 12), "{entry}");
        // Entries of the same moment have no order between keys and the rest.
        self.server.pass_seconds(1);
        entry
    }

    #[track_caller]
    fn none(&self, what: &str) {
        assert_eq!(entries(&self.operator).len(), self.seen, "{what}");
    }

    fn put(&self, path: &str, body: &Value) -> Answer {
        put(&self.operator, path, body)
    }
}

pub(crate) fn put(http: &Http, path: &str, body: &Value) -> Answer {
    http.send("PUT", path, &[JSON], Some(body.to_string().as_bytes())).expect("an answer")
}

fn delete(http: &Http, path: &str) -> Answer {
    http.send("DELETE", path, &[], None).expect("an answer")
}

pub(crate) fn entries(http: &Http) -> Vec<Value> {
    http.all_pages("/audit").0
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().expect("a text").to_owned()
}

#[test]
fn products_and_policies_are_noted_as_they_were_and_are() {
    let mut watched = Watched::start();
    watched.server.pass_seconds(1);
    let product = Product::register(&watched.operator, "etl");
    let about = ["product", &product.id, "etl"];
    let entry = watched.one_more("product.create", about);
    assert_eq!((&entry["at"], &entry["reason"]), (&json!("2023-01-01T10:30:01Z"), &Value::Null));
    assert_eq!(entry["before"], Value::Null);
    assert_eq!(entry["after"]["artifact_url"], json!(product.artifact_url));
    let fields: Vec<&String> = entry["after"].as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["name", "repository_url", "artifact_url"]);

    let path = format!("/product/{}/policy", product.id);
    let policies = [json!({"min_signals": 30}), json!({"alpha": 0.1, "at_end": "hold"}), json!({})];
    let mut before = json!({});
    for policy in policies {
        watched.put(&path, &policy).expect(200);
        let entry = watched.one_more("product.policy", about);
        assert_eq!((&entry["before"], &entry["after"]), (&before, &policy));
        watched.put(&path, &policy).expect(200);
        watched.none("the same policy once more");
        before = policy;
    }
}

#[test]
fn releases_and_what_is_done_to_them_are_noted_with_the_reason() {
    let mut watched = Watched::start();
    watched.server.pass_seconds(1);
    let product = Product::register(&watched.operator, "etl");
    watched.one_more("product.create", ["product", &product.id, "etl"]);
    let stable = product.release("1.0.0").with("is_canary", false).create();
    let entry = watched.one_more("release.create", ["release", &stable, "etl 1.0.0"]);
    assert_eq!(entry["before"], Value::Null);
    let after = &entry["after"];
    assert_eq!((&after["version"], &after["state"]), (&json!("1.0.0"), &json!("stable")));
    assert_eq!(after.get("others"), None);

    let canary = product.release("2.0.0").with("threshold", 90).create();
    let about = ["release", canary.as_str(), "etl 2.0.0"];
    let after = watched.one_more("release.create", about)["after"].clone();
    assert_eq!((&after["threshold"], &after["is_canary"]), (&json!(90.0), &json!(true)));
    assert!(after["policy"]["alpha"].is_number() && after["release_date"].is_string(), "{after}");

    let is = |state: &str| json!({"state": state, "is_canary": state != "promoted"});
    for (action, from, to) in [("pause", "running", "paused"), ("resume", "paused", "running")] {
        watched.operator.act(&canary, action).expect(200);
        let entry = watched.one_more(&format!("release.{action}"), about);
        assert_eq!((&entry["before"], &entry["after"]), (&is(from), &is(to)));
        assert_eq!(entry["reason"], "a reason");
        watched.operator.act(&canary, action).expect(200);
        watched.none("what is in force already");
    }
    watched.operator.post(&format!("/release/{canary}/promote"), &json!({})).expect(200);
    let entry = watched.one_more("release.promote", about);
    assert_eq!((&entry["before"], &entry["reason"]), (&is("running"), &Value::Null));
    let retired = json!({"id": stable, "version": "1.0.0", "from": "stable", "to": "retired"});
    let after = json!({"state": "promoted", "is_canary": false, "others": [retired]});
    assert_eq!(entry["after"], after);
}

#[test]
fn what_else_changes_with_a_release_is_noted_with_it() {
    let mut watched = Watched::start();
    watched.server.pass_seconds(1);
    let product = Product::register(&watched.operator, "etl");
    watched.one_more("product.create", ["product", &product.id, "etl"]);
    let first = product.release("1.0.0").with("is_canary", false).create();
    watched.one_more("release.create", ["release", &first, "etl 1.0.0"]);
    let second = product.release("2.0.0").with("is_canary", false).create();
    let entry = watched.one_more("release.create", ["release", &second, "etl 2.0.0"]);
    let others = |id: &str, version: &str, [from, to]: [&str; 2]| json!([{"id": id, "version": version, "from": from, "to": to}]);
    assert_eq!(entry["after"]["others"], others(&first, "1.0.0", ["stable", "retired"]));

    // The way back, to a release that is no longer in play.
    watched.operator.act(&first, "promote").expect(200);
    let entry = watched.one_more("release.promote", ["release", &first, "etl 1.0.0"]);
    assert_eq!(entry["before"], json!({"state": "retired", "is_canary": false}));
    assert_eq!(entry["after"]["others"], others(&second, "2.0.0", ["stable", "retired"]));

    let third = product.release("3.0.0").with("policy", json!({"on_supersede": "abort"})).create();
    watched.one_more("release.create", ["release", &third, "etl 3.0.0"]);
    let fourth = product.release("4.0.0").create();
    let entry = watched.one_more("release.create", ["release", &fourth, "etl 4.0.0"]);
    assert_eq!(entry["after"]["others"], others(&third, "3.0.0", ["running", "superseded"]));

    watched.operator.act(&fourth, "rollback").expect(200);
    let entry = watched.one_more("release.rollback", ["release", &fourth, "etl 4.0.0"]);
    assert_eq!(entry["before"], json!({"state": "running", "is_canary": true}));
    assert_eq!(entry["after"], json!({"state": "rolled_back", "is_canary": true}));

    // Lower than what everybody gets: it is registered, and handed out to nobody.
    let old = product.release("0.9.0").with("is_canary", false).create();
    let entry = watched.one_more("release.create", ["release", &old, "etl 0.9.0"]);
    assert_eq!(entry["after"]["state"], "retired");
    assert_eq!(entry["after"].get("others"), None);
}

#[test]
fn types_of_readings_are_noted_if_they_change() {
    let mut watched = Watched::start();
    watched.server.pass_seconds(1);
    let (load, about) = ("/reading-type/load", ["reading_type", "load", "load"]);
    let first = json!({"unit": "%", "minimum": 0, "maximum": 100, "integer": true});
    watched.put(load, &first).expect(200);
    let entry = watched.one_more("reading_type.declare", about);
    let shown = json!({"unit": "%", "minimum": 0.0, "maximum": 100.0, "integer": true});
    assert_eq!((&entry["before"], &entry["after"]), (&Value::Null, &shown));
    watched.put(load, &first).expect(200);
    watched.none("the same once more");
    watched.put(load, &json!({"minimum": -1.5, "maximum": 1})).expect(200);
    let entry = watched.one_more("reading_type.declare", about);
    let after = json!({"unit": "", "minimum": -1.5, "maximum": 1.0, "integer": false});
    assert_eq!((&entry["before"], &entry["after"]), (&shown, &after));

    let reading = json!({"type": "load", "value": 0.5, "date_created": 1_672_569_000});
    watched.operator.post("/devices/d1/readings", &reading).expect(201);
    watched.none("a reading");
    watched.put(load, &json!({"minimum": 0, "maximum": 1})).expect_problem(409, "conflict");
    watched.none("a type that has readings");
}

#[test]
fn keys_and_organizations_are_noted_without_what_opens_doors() {
    let mut watched = Watched::start();
    watched.server.pass_seconds(1);
    let operator = watched.operator.clone();
    let body = json!({"name": "ci", "scopes": ["release"], "expires_at": "2023-02-01T00:00:00Z"});
    let made = operator.post("/key", &body).expect(201);
    let id = text(&made, "id");
    let about = ["key", id.as_str(), "ci"];
    let entry = watched.one_more("key.create", about);
    let prefix = &made["prefix"];
    let after = json!({"name": "ci", "scopes": ["release"], "prefix": prefix,
        "expires_at": "2023-02-01T00:00:00Z"});
    assert_eq!((&entry["before"], &entry["after"]), (&Value::Null, &after));
    operator.post("/key", &body).expect_problem(409, "taken");
    watched.none("a name that is taken");

    let rotation = json!({"overlap_seconds": 60, "expires_at": "2023-03-01T00:00:00Z"});
    let next = operator.post(&format!("/key/{id}/rotate"), &rotation).expect(201);
    let entry = watched.one_more("key.rotate", about);
    let before = json!({"expires_at": "2023-02-01T00:00:00Z", "replaced_by": null});
    assert_eq!(entry["before"], before);
    let after = &entry["after"];
    assert_eq!(after["expires_at"], "2023-01-01T10:31:02Z");
    assert_eq!(
        (&after["replaced_by"], &after["successor"]["prefix"]),
        (&next["id"], &next["prefix"])
    );
    operator.post(&format!("/key/{id}/rotate"), &json!({})).expect_problem(409, "conflict");
    watched.none("a key that was replaced");

    delete(&operator, &format!("/key/{id}")).expect_status(204);
    let entry = watched.one_more("key.revoke", about);
    assert_eq!(entry["before"], json!({"revoked_at": null}));
    assert_eq!(entry["after"], json!({"revoked_at": "2023-01-01T10:30:03Z"}));
    delete(&operator, &format!("/key/{id}")).expect_status(204);
    watched.none("a key that was revoked");

    let acme = operator.post("/organization", &json!({"name": "acme"})).expect(201);
    let about = ["organization", &text(&acme, "id"), "acme"];
    let entry = watched.one_more("organization.create", about);
    assert_eq!((&entry["before"], &entry["after"]), (&Value::Null, &json!({"name": "acme"})));
    operator.post("/organization", &json!({"name": "acme"})).expect_problem(409, "taken");
    watched.none("an organization that there is");

    let told = operator.get("/audit").text;
    for secret in [&made["key"], &next["key"]] {
        let secret = secret.as_str().expect("a key");
        let (_, hidden) = secret["canary_".len()..].split_once('_').expect("its parts");
        assert!(!told.contains(hidden) && !told.contains("hash"), "{told}");
    }
}

#[test]
fn what_was_refused_or_came_twice_leaves_no_entry() {
    let mut watched = Watched::start();
    watched.server.pass_seconds(1);
    let reader = watched.server.key("default", &["read"]);
    watched.seen += 1;
    watched.server.pass_seconds(1);
    let operator = watched.operator.clone();
    let body = Product::body("etl");
    let create = || operator.post_with("/product", &[("Idempotency-Key", "k")], &body);
    let id = text(&create().expect(201), "id");
    watched.one_more("product.create", ["product", &id, "etl"]);
    assert_eq!(text(&create().expect(201), "id"), id);
    watched.none("the same request once more");
    operator.post("/product", &body).expect_problem(409, "taken");
    operator.post("/product", &json!({})).expect_problem(422, "invalid");
    reader.post("/product", &Product::body("more")).expect_problem(403, "forbidden");
    watched.server.post("/product", &Product::body("more")).expect_problem(401, "unauthorized");
    reader.get("/audit").expect_problem(403, "forbidden");
    watched.none("what was refused");

    let product = operator.get(&format!("/product/{id}")).expect(200);
    let url = text(&product, "artifact_url");
    let release = |version: &str, is_canary: bool| {
        let body = json!({"artifact_url": url, "semver_version": version, "is_canary": is_canary});
        operator.post("/release", &body)
    };
    let stable = text(&release("1.0.0", false).expect(201), "id");
    watched.one_more("release.create", ["release", &stable, "etl 1.0.0"]);
    let canary = text(&release("2.0.0", true).expect(201), "id");
    watched.one_more("release.create", ["release", &canary, "etl 2.0.0"]);
    release("2.0.0", true).expect_problem(409, "taken");
    operator.act(&stable, "rollback").expect_problem(409, "conflict");
    let nobody = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";
    operator.act(nobody, "pause").expect_problem(404, "unknown_release");
    watched.none("what makes no sense");

    let headers = [("Idempotency-Key", "pause")];
    let pause = || operator.post_with(&format!("/release/{canary}/pause"), &headers, &json!({}));
    pause().expect(200);
    watched.one_more("release.pause", ["release", &canary, "etl 2.0.0"]);
    operator.act(&canary, "resume").expect(200);
    watched.one_more("release.resume", ["release", &canary, "etl 2.0.0"]);
    pause().expect(200);
    watched.none("the same action once more");
}

#[test]
fn observations_and_what_the_engine_decides_leave_no_entry() {
    let mut watched = Watched::on(TestServer::with_late_engine());
    watched.server.pass_seconds(1);
    let operator = watched.operator.clone();
    let product = Product::register(&operator, "etl");
    product.release("1.0.0").with("is_canary", false).create();
    let canary = product.release("2.0.0").create();
    watched.seen += 3;
    product.report("2.0.0", "success", 3);
    let batch = json!([product.signal("2.0.0", "success").body()]);
    assert!(operator.post("/signal/batch", &batch).status < 300);
    let reading = json!({"type": "humidity", "value": 1});
    operator.post("/devices/d1/readings", &reading).expect(201);
    operator.simulate(&canary, &json!({})).expect(200);
    watched.none("observations");
    // What the engine was late for is done by whoever comes next, and is not that one's doing.
    watched.server.pass_days(3.0);
    assert_eq!(operator.act(&canary, "promote").expect(200)["state"], "promoted");
    assert_eq!(operator.decisions(&canary).last().expect("decisions")["actor"], "engine");
    watched.none("what the engine decided");
}

#[test]
fn a_server_without_keys_notes_nobody_in_particular() {
    let server = TestServer::start();
    let headers = [("X-Request-Id", "run-7"), ("X-Forwarded-For", "203.0.113.9")];
    server.post_with("/product", &headers, &Product::body("etl")).expect(201);
    let entries = entries(&server);
    assert_eq!(entries.len(), 1);
    let nobody = json!({"kind": "anybody", "id": null, "name": null, "prefix": null, "user": null});
    assert_eq!(entries[0]["actor"], nobody);
    assert_eq!(entries[0]["request_id"], "run-7");
    assert_eq!(entries[0]["remote_address"], "127.0.0.1", "a header can be written by anybody");
    server.restart();
    assert_eq!(self::entries(&server), entries);
}

#[test]
fn the_command_line_is_noted_with_its_user() {
    let server = TestServer::start();
    server.organization("acme");
    let acme = server.key("acme", &["admin"]);
    let default = server.key("default", &["admin"]);
    let actions = |http: &Http| -> Vec<Value> {
        entries(http).iter().map(|entry| entry["action"].clone()).collect()
    };
    assert_eq!(actions(&acme), ["key.create"]);
    let of_default = actions(&default);
    assert_eq!(of_default.len(), 2);
    assert!(of_default.contains(&json!("organization.create")), "{of_default:?}");
    for entry in entries(&acme).iter().chain(&entries(&default)) {
        assert_eq!(entry["actor"]["kind"], "command_line");
        assert!(entry["actor"]["user"].as_str().is_some_and(|user| !user.is_empty()), "{entry}");
        assert_eq!((&entry["remote_address"], &entry["request_id"]), (&Value::Null, &Value::Null));
    }
}
