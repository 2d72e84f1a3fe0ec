//! Keys: who is let in, and who is not any more.

use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use canary_tests::{Http, ServerProcess, SharedDatabase, TestServer, eventually};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// What everybody may look at, whoever they are.
const OPEN: [&str; 8] = [
    "/version",
    "/health/live",
    "/health/ready",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/problems/unauthorized",
    "/problems/forbidden",
];

/// Makes a key over HTTP; its identifier, and a way with it.
fn make(admin: &Http, body: &Value) -> (String, Http) {
    let created = admin.post("/key", body).expect(201);
    let text = |field: &str| created[field].as_str().expect("a text").to_owned();
    (text("id"), admin.with_key(text("key")))
}

fn delete(http: &Http, path: &str) -> canary_tests::Answer {
    http.send("DELETE", path, &[], None).expect("an answer")
}

#[track_caller]
fn expect_closed(http: &Http) {
    for path in ["/", "/metrics", "/product", "/release", "/key", "/organization"] {
        let answer = http.get(path);
        answer.expect_problem(401, "unauthorized");
        // A browser asks its user.
        let wanted =
            if path == "/" { "Basic realm=\"canary\", charset=\"UTF-8\"" } else { "Bearer" };
        assert_eq!(answer.header("WWW-Authenticate"), Some(wanted), "{path}");
    }
    for path in OPEN {
        assert_eq!(http.get(path).status, 200, "{path}");
    }
}

#[test]
fn the_first_key_closes_the_door_on_every_server_at_once() {
    let server = TestServer::start();
    let other = server.beside();
    let _product = server.product("etl");
    assert_eq!(server.get("/").status, 200);
    assert_eq!(server.get("/key").expect(200), json!([]));

    let reader = json!({"name": "reader", "scopes": ["read"]});
    let refused = server.post("/key", &reader).expect_problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains("`admin`"), "{refused}");

    let operator = json!({"name": "operator", "scopes": ["admin"]});
    let created = server.post("/key", &operator).expect(201);
    let key = created["key"].as_str().expect("a key").to_owned();
    let prefix = created["prefix"].as_str().expect("a prefix");
    assert!(key.starts_with(&format!("canary_{prefix}_")) && key.len() == 59, "its shape");
    assert_eq!(created["created_at"], "2023-01-01T10:30:00Z");
    assert_eq!((&created["scopes"], &created["expires_at"]), (&json!(["admin"]), &Value::Null));

    expect_closed(&server);
    server
        .post("/key", &json!({"name": "more", "scopes": ["admin"]}))
        .expect_problem(401, "unauthorized");
    server.post("/product", &json!({})).expect_problem(401, "unauthorized");
    eventually("the closed door of the other server", || {
        (other.get("/product").status == 401).then_some(())
    });
    expect_closed(&other);
    for server in [&server, &other] {
        let operator = server.with_key(&key);
        assert_eq!(operator.get("/product").expect(200)[0]["name"], "etl");
        assert_eq!(operator.get("/").status, 200);
    }
}

#[test]
fn a_key_that_opens_nothing_is_told_so_and_not_why() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let (id, worker) = make(&admin, &json!({"name": "worker", "scopes": ["read", "signal"]}));
    let key = worker.key().to_owned();
    assert_eq!(worker.get("/product").status, 200);

    let detail = |http: &Http| {
        let answer = http.get("/product");
        assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer"));
        let problem = answer.expect_problem(401, "unauthorized");
        problem["detail"].as_str().expect("a detail").to_owned()
    };
    let unknown = "the key is unknown or was revoked";
    let last = if key.ends_with('x') { "y" } else { "x" };
    let slip = format!("{}{last}", &key[..key.len() - 1]);
    for wrong in [slip.as_str(), &key[..58], "canary_12345678_", "hello"] {
        let told = detail(&server.with_key(wrong));
        assert!(!told.contains(wrong), "{told}");
    }
    assert_eq!(detail(&server.with_key(&slip)), unknown);

    delete(&admin, &format!("/key/{id}")).expect_status(204);
    assert_eq!(detail(&worker), unknown);
    delete(&admin, &format!("/key/{id}")).expect_status(204);
    let nobody = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";
    delete(&admin, &format!("/key/{nobody}")).expect_problem(404, "unknown_key");
    delete(&admin, "/key/worker").expect_problem(400, "not_uuid");
}

#[test]
fn the_header_is_read_as_its_standard_has_it() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let key = admin.key();
    let with = |values: &[String]| {
        let headers: Vec<(&str, &str)> =
            values.iter().map(|value| ("Authorization", value.as_str())).collect();
        server.get_with("/product", &headers).status
    };
    for fine in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(with(&[format!("{fine} {key}")]), 200, "{fine}");
    }
    assert_eq!(with(&[format!("Bearer  {key}")]), 200, "blanks around it are none of it");
    for unfit in
        [key.to_owned(), format!("Basic {key}"), format!("Bearer{key}"), "Bearer".to_owned()]
    {
        assert_eq!(with(&[unfit]), 401);
    }
    assert_eq!(with(&[format!("Bearer {key}"), format!("Bearer {key}")]), 401, "once is enough");
    assert_eq!(server.get(&format!("/product?access_token={key}")).status, 401);
}

#[test]
fn a_key_opens_until_it_expires() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let end = "2023-01-01T11:30:00Z";
    let (_, worker) =
        make(&admin, &json!({"name": "worker", "scopes": ["read"], "expires_at": end}));
    assert_eq!(worker.get("/product").status, 200);
    server.clock().advance(Duration::from_secs(3_599));
    assert_eq!(worker.get("/product").status, 200);
    server.clock().advance(Duration::from_secs(1));
    let problem = worker.get("/product").expect_problem(401, "unauthorized");
    assert_eq!(problem["detail"], format!("the key has expired at {end}"));

    let late = json!({"name": "late", "scopes": ["read"], "expires_at": end});
    assert_eq!(admin.post("/key", &late).expect_pointers(), ["/expires_at"]);
    // The name is its own until it is revoked.
    let again = json!({"name": "worker", "scopes": ["read"]});
    admin.post("/key", &again).expect_problem(409, "taken");
}

#[test]
fn a_key_is_replaced_with_an_overlap() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let body = json!({"name": "worker", "scopes": ["signal", "read"]});
    let (id, old) = make(&admin, &body);
    let rotate = |id: &str, body: Value| admin.post(&format!("/key/{id}/rotate"), &body);

    for (unfit, pointer) in [
        (json!({"overlap_seconds": -1}), "/overlap_seconds"),
        (json!({"overlap_seconds": 2_592_001}), "/overlap_seconds"),
        (json!({"expires_at": "soon"}), "/expires_at"),
        (json!({"expires_at": "2023-01-01T10:30:00Z"}), "/expires_at"),
    ] {
        assert_eq!(rotate(&id, unfit).expect_pointers(), [pointer]);
    }
    let created = rotate(&id, json!({"overlap_seconds": 60})).expect(201);
    assert_eq!(
        (&created["name"], &created["scopes"]),
        (&json!("worker"), &json!(["read", "signal"]))
    );
    let new = server.with_key(created["key"].as_str().expect("a key"));
    for http in [&old, &new] {
        assert_eq!(http.get("/product").status, 200);
    }
    rotate(&id, json!({})).expect_problem(409, "conflict");
    server.clock().advance(Duration::from_secs(60));
    old.get("/product").expect_problem(401, "unauthorized");
    assert_eq!(new.get("/product").status, 200);
}

#[test]
fn without_a_word_the_overlap_is_a_day_and_revoking_ends_it() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let (id, old) = make(&admin, &json!({"name": "worker", "scopes": ["read"]}));
    let rotate = |id: &str| admin.post(&format!("/key/{id}/rotate"), &json!({}));
    let created = rotate(&id).expect(201);
    server.clock().advance(Duration::from_secs(86_399));
    assert_eq!(old.get("/product").status, 200);
    delete(&admin, &format!("/key/{id}")).expect_status(204);
    old.get("/product").expect_problem(401, "unauthorized");
    rotate(&id).expect_problem(409, "conflict");
    let listed = admin.get("/key").expect(200);
    let of_worker = |key: &&Value| key["name"] == "worker";
    let listed: Vec<&Value> = listed.as_array().expect("a list").iter().filter(of_worker).collect();
    let [first, second] = listed[..] else { panic!("{listed:?}") };
    assert_eq!((&first["replaced_by"], first["revoked_at"].is_string()), (&second["id"], true));
    assert_eq!((&second["replaced_by"], &second["expires_at"]), (&Value::Null, &Value::Null));
    assert_eq!(second["id"], created["id"]);
}

#[test]
fn a_key_that_was_made_for_a_time_is_replaced_by_one_for_the_same_time() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let body = json!({"name": "w", "scopes": ["read"], "expires_at": "2023-01-02T10:30:00Z"});
    let (id, old) = make(&admin, &body);
    server.clock().advance(Duration::from_secs(12 * 3_600));
    let created = admin.post(&format!("/key/{id}/rotate"), &json!({})).expect(201);
    assert_eq!(created["expires_at"], "2023-01-02T22:30:00Z");
    // The overlap of a day does not outlive the old one's own end.
    server.clock().advance(Duration::from_secs(12 * 3_600));
    old.get("/product").expect_problem(401, "unauthorized");
    assert_eq!(server.with_key(created["key"].as_str().unwrap()).get("/product").status, 200);
}

#[test]
fn what_cannot_be_a_key_is_refused_with_its_pointers() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let long = "n".repeat(129);
    let cases = [
        (json!({}), vec!["/name", "/scopes"]),
        (json!({"name": "", "scopes": ["read"]}), vec!["/name"]),
        (json!({"name": long, "scopes": ["read"]}), vec!["/name"]),
        (json!({"name": "n", "scopes": []}), vec!["/scopes"]),
        (json!({"name": "n", "scopes": ["root"]}), vec!["/scopes"]),
        (json!({"name": "\n", "scopes": ["read", "Admin"]}), vec!["/name", "/scopes"]),
        (json!({"name": "n", "scopes": ["read"], "expires_at": "never"}), vec!["/expires_at"]),
        (json!({"name": "n", "scopes": ["read"], "organization": "acme"}), vec!["/organization"]),
    ];
    for (body, pointers) in cases {
        assert_eq!(admin.post("/key", &body).expect_pointers(), pointers, "{body}");
    }
    let (id, _) = make(&admin, &json!({"name": "n", "scopes": ["read", "read"]}));
    admin.post("/key", &json!({"name": "n", "scopes": ["read"]})).expect_problem(409, "taken");
    delete(&admin, &format!("/key/{id}")).expect_status(204);
    make(&admin, &json!({"name": "n", "scopes": ["read"]}));
}

#[test]
fn a_refusal_is_read_even_by_those_who_send_much() {
    let server = TestServer::start();
    let reader = server.key("default", &["read"]);
    let body = vec![b' '; 1_000_000];
    for path in ["/signal/batch", "/readings", "/product"] {
        server.post_bytes(path, &[], &body).expect_problem(401, "unauthorized");
        reader.post_bytes(path, &[], &body).expect_problem(403, "forbidden");
    }
}

#[test]
fn keys_survive_a_restart_and_what_was_revoked_stays_so() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    let (id, worker) = make(&admin, &json!({"name": "worker", "scopes": ["read"]}));
    let before = admin.get("/key").expect(200);
    server.restart();
    expect_closed(&server);
    assert_eq!(admin.get("/key").expect(200), before);
    assert_eq!(worker.get("/product").status, 200);
    delete(&admin, &format!("/key/{id}")).expect_status(204);
    server.restart();
    worker.get("/product").expect_problem(401, "unauthorized");
    // With every key revoked the door does not open again.
    let (admin_id, _) = make(&admin, &json!({"name": "other", "scopes": ["admin"]}));
    let keys = admin.get("/key").expect(200);
    let ids = keys.as_array().expect("a list").iter().map(|key| key["id"].as_str().unwrap());
    for id in ids.filter(|id| *id != admin_id) {
        delete(&admin, &format!("/key/{id}"));
    }
    expect_closed(&server);
    server.restart();
    expect_closed(&server);
}

#[test]
fn revoking_and_making_reach_every_server() {
    let server = TestServer::start();
    let other = server.beside();
    let admin = server.key("default", &["admin"]);
    let (id, worker) = make(&admin, &json!({"name": "worker", "scopes": ["read"]}));
    let there = other.with_key(worker.key());
    eventually("the key on the other server", || {
        (there.get("/product").status == 200).then_some(())
    });
    let there_admin = other.with_key(admin.key());
    delete(&there_admin, &format!("/key/{id}")).expect_status(204);
    there.get("/product").expect_problem(401, "unauthorized");
    eventually("the revocation on the first server", || {
        (worker.get("/product").status == 401).then_some(())
    });
}

#[test]
fn without_keys_only_a_loopback_address_is_served() {
    let server = TestServer::start();
    let everywhere = canary_server::Settings { host: "0.0.0.0".to_owned(), ..server.settings() };
    let refusal = TestServer::refusal(&everywhere).expect("a refusal");
    for told in ["there is no key", "canary key create", "CANARY_INSECURE=true", "0.0.0.0:"] {
        assert!(refusal.contains(told), "{told} in {refusal}");
    }
    let insecure = canary_server::Settings { insecure: true, ..everywhere.clone() };
    assert_eq!(TestServer::refusal(&insecure), None);
    let _key = server.key("default", &["read"]);
    assert_eq!(TestServer::refusal(&everywhere), None);
}

#[test]
fn keys_never_appear_where_they_could_be_read() {
    let database = SharedDatabase::new();
    let mut log = tempfile::tempfile().expect("a file for the log");
    let own = log.try_clone().expect("the same file");
    let server = ServerProcess::start_telling_all(PROGRAM, &database, own);
    let (admin_id, admin) = make(&server, &json!({"name": "admin", "scopes": ["admin"]}));
    let (id, worker) = make(&admin, &json!({"name": "worker", "scopes": ["read"]}));
    let rotated = admin.post(&format!("/key/{id}/rotate"), &json!({})).expect(201);
    let new = server.with_key(rotated["key"].as_str().expect("a key"));
    let wrong = server.with_key(format!("{}zzz", worker.key()));
    let mut shown = String::new();
    for http in [&admin, &worker, &new, &wrong] {
        for path in ["/key", "/product", "/metrics", "/", "/release/x", "/nothing"] {
            let answer = http.get(path);
            shown.push_str(&format!("{:?} {}\n", answer.headers, answer.text));
        }
    }
    let taken = admin.post("/key", &json!({"name": "admin", "scopes": ["read"]}));
    shown.push_str(&taken.text);
    shown.push_str(&delete(&admin, &format!("/key/{id}")).text);
    shown.push_str(&delete(&admin, &format!("/key/{admin_id}")).text);
    server.terminate();
    let mut server = server;
    assert!(server.wait().success());

    std::io::Seek::rewind(&mut log).expect("a file has a beginning");
    log.read_to_string(&mut shown).expect("the log is text");
    for told in ["key made", "key replaced", "key revoked", "answered 401", &admin_id] {
        assert!(shown.contains(told), "{told} is not in what was looked through");
    }
    for http in [&admin, &worker, &new, &wrong] {
        let secret = &http.key()[16..59];
        assert!(!shown.contains(secret), "a key was shown");
    }
}

#[test]
fn a_browser_opens_the_dashboard_with_the_key_as_a_password_and_nothing_else() {
    let server = TestServer::start();
    let reader = server.key("default", &["read"]);
    let with = |path: &str, password: &str| {
        let login = BASE64.encode(format!("anybody:{password}"));
        server.get_with(path, &[("Authorization", &format!("Basic {login}"))]).status
    };
    assert_eq!(with("/", reader.key()), 200);
    assert_eq!(with("/", "hello"), 401);
    assert_eq!(with("/", ""), 401);
    for path in ["/product", "/metrics", "/key"] {
        assert_eq!(with(path, reader.key()), 401, "{path}");
    }
    let worker = server.key("default", &["signal"]);
    assert_eq!(with("/", worker.key()), 403);
}
