//! Organizations are apart: with a key of one, nothing of another can be read, guessed or changed.

use canary_tests::{Answer, Http, JSON, Product, TestServer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// What the one whose secrets are sought has: words that nobody else has anywhere.
struct Victim {
    http: Http,
    product: Product,
    /// Its identifiers, by the kind of thing.
    release: String,
    key: String,
    signal: String,
}

const NAME: &str = "hidden-product";
const VERSION: &str = "7.7.7-hidden";
const DEVICE: &str = "hidden-device";
const KIND: &str = "hidden-type";
const REASON: &str = "a hidden reason";
const INSTANCE: &str = "hidden-instance";

impl Victim {
    fn of(server: &TestServer, organization: &str) -> Self {
        let http = server.key(organization, &["admin"]);
        let product = Product::register(&http, NAME);
        product.release("1.0.0-hidden").with("is_canary", false).create();
        let release = product.release(VERSION).create();
        let signal = product.signal(VERSION, "success").with("instance_id", INSTANCE);
        let signal = signal.with("description", "a hidden description").send().expect(201);
        let signal = signal["id"].as_str().expect("an id").to_owned();
        http.post(&format!("/release/{release}/pause"), &json!({"reason": REASON})).expect(200);
        let kind = json!({"minimum": -1_234_321.5, "maximum": 1_234_321.5, "unit": "hidden-unit"});
        put(&http, &format!("/reading-type/{KIND}"), &kind).expect(200);
        let reading = json!({"type": KIND, "value": 1_234_321.25, "date_created": 1_672_569_000});
        http.post(&format!("/devices/{DEVICE}/readings"), &reading).expect(201);
        let made =
            http.post("/key", &json!({"name": "hidden-key", "scopes": ["read"]})).expect(201);
        let key = made["id"].as_str().expect("an id").to_owned();
        Self { http, product, release, key, signal }
    }

    /// Everything that it can see of itself.
    fn state(&self) -> Vec<Value> {
        let paths = [
            "/product".to_owned(),
            format!("/product/{}/policy", self.product.id),
            "/release".to_owned(),
            format!("/release/{}/decisions", self.release),
            format!("/release/{}/analysis", self.release),
            "/reading-type".to_owned(),
            format!("/devices/{DEVICE}/readings?type={KIND}"),
            format!("/readings/summary?type={KIND}"),
            "/key".to_owned(),
            "/audit".to_owned(),
        ];
        paths.iter().map(|path| self.http.get(path).expect(200)).collect()
    }

    /// What must never be in an answer to somebody else.
    fn secrets(&self) -> Vec<&str> {
        let Self { product, release, key, signal, .. } = self;
        let ids = [&*product.id, &product.artifact_url, release, key, signal];
        let words = [
            NAME,
            VERSION,
            DEVICE,
            KIND,
            REASON,
            INSTANCE,
            "1.0.0-hidden",
            "hidden-unit",
            "hidden-key",
            "a hidden description",
            "1234321",
            "git.example/hidden",
        ];
        ids.into_iter().chain(words).collect()
    }

    /// What somebody else could try in the place of a parameter of a path.
    fn guesses(&self, parameter: &str, path: &str) -> Vec<String> {
        let Self { product, release, key, .. } = self;
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        match parameter {
            "{product}" => {
                vec![NAME.to_owned(), product.id.clone(), encoded(&product.artifact_url)]
            }
            "{device}" => vec![DEVICE.to_owned()],
            "{name}" => vec![KIND.to_owned()],
            "{id}" if path.starts_with("/product") => vec![product.id.clone()],
            "{id}" if path.starts_with("/release") => vec![release.clone()],
            "{id}" if path.starts_with("/key") => vec![key.clone()],
            other => panic!("{path} has the parameter {other}, which nobody has tried here"),
        }
    }

    /// What somebody else could send.
    fn body(&self, path: &str) -> Value {
        let signal = self.product.signal(VERSION, "failed").body();
        let reading = json!({"device_uuid": DEVICE, "type": KIND, "value": 1});
        match path {
            "/product" => Product::body("theirs"),
            "/release" => json!({"artifact_url": self.product.artifact_url, "semver_version": "8"}),
            "/signal" => signal,
            "/signal/batch" => json!([signal]),
            "/readings" => json!([reading]),
            "/devices/{device}/readings" => json!({"type": KIND, "value": 1}),
            "/reading-type/{name}" => json!({"minimum": 0, "maximum": 1}),
            "/organization" => json!({"name": "hers"}),
            "/key" => json!({"name": format!("theirs {}", self.key), "scopes": ["read"]}),
            _ => json!({}),
        }
    }
}

fn put(http: &Http, path: &str, body: &Value) -> Answer {
    http.send("PUT", path, &[JSON], Some(body.to_string().as_bytes())).expect("an answer")
}

/// Every path of the document with its methods.
fn operations(http: &Http) -> Vec<(String, String)> {
    let document = http.get("/openapi.json").expect(200);
    let paths = document["paths"].as_object().expect("paths").clone();
    let operations = paths.into_iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").clone();
        methods.into_iter().map(move |(method, _)| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

/// The paths that come of a template, with all guesses for its parameter, and filters of lists.
fn tried(victim: &Victim, template: &str) -> Vec<String> {
    let parameter = template.split('/').find(|part| part.starts_with('{'));
    let paths = match parameter {
        None => vec![template.to_owned()],
        Some(parameter) => {
            let guesses = victim.guesses(parameter, template);
            guesses.iter().map(|guess| template.replace(parameter, guess)).collect()
        }
    };
    let query = match template {
        "/product" => format!("?name={NAME}"),
        "/release" => format!("?product={NAME}"),
        "/audit" => format!("?about={}", victim.release),
        _ if template.contains("/readings") => format!("?type={KIND}"),
        _ => return paths,
    };
    let filtered: Vec<String> = paths.iter().map(|path| format!("{path}{query}")).collect();
    [paths, filtered].concat()
}

fn expect_nothing_of(victim: &Victim, sent: &str, answer: &Answer) {
    let told = format!("{:?} {}", answer.headers, answer.text);
    for secret in victim.secrets() {
        // What one has sent oneself may come back.
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        if !sent.contains(secret) && !sent.contains(&encoded) {
            assert!(!told.contains(secret), "{secret} in the answer to {sent}: {told}");
        }
    }
}

fn attack(attacker: &Http, victim: &Victim) {
    // What the attacker has stored of its own guesses may be shown to it.
    let mut stored = String::new();
    for (method, template) in operations(attacker) {
        for path in tried(victim, &template) {
            let body =
                matches!(&*method, "POST" | "PUT").then(|| victim.body(&template).to_string());
            let bytes = body.as_deref().map(str::as_bytes);
            let answer = attacker.send(&method, &path, &[JSON], bytes).expect("an answer");
            let sent = format!("{method} {path} {}", body.unwrap_or_default());
            if method != "GET" && answer.status < 300 {
                stored.push_str(&sent);
            }
            assert!(answer.status < 500 && answer.status != 401, "{sent}: {}", answer.text);
            expect_nothing_of(victim, &format!("{sent} {stored}"), &answer);
            let is_of_the_victim = template.contains("{id}") || template.contains("{product}");
            if is_of_the_victim {
                assert!(
                    matches!(answer.status, 403 | 404),
                    "{sent}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
}

#[test]
fn nothing_of_another_organization_can_be_read_guessed_or_changed() {
    let server = TestServer::start();
    server.organization("acme");
    server.organization("rival");
    let victim = Victim::of(&server, "acme");
    let before = victim.state();
    attack(&server.key("rival", &["admin"]), &victim);
    attack(&server.key("default", &["admin"]), &victim);
    assert_eq!(victim.state(), before);
    // And the other way round: `default` is nobody's to look into, either.
    let victim = Victim::of(&server, "default");
    let before = victim.state();
    attack(&server.key("rival", &["read", "signal", "release", "rollback"]), &victim);
    assert_eq!(victim.state(), before);
}

#[test]
fn a_name_that_is_taken_elsewhere_is_free_here() {
    let server = TestServer::start();
    server.organization("acme");
    let victim = Victim::of(&server, "acme");
    let before = victim.state();
    let rival = server.key("default", &["admin"]);
    let product = Product::register(&rival, NAME);
    product.release(VERSION).with("is_canary", false).create();
    let signal = product.signal(VERSION, "failed").with("id", victim.signal.as_str());
    signal.send().expect(201);
    assert_eq!(rival.get("/metrics").text.matches("canary_signals_total 1").count(), 1);
    rival.post("/key", &json!({"name": "hidden-key", "scopes": ["read"]})).expect(201);
    put(&rival, &format!("/reading-type/{KIND}"), &json!({"minimum": 0, "maximum": 1})).expect(200);
    assert_eq!(victim.state(), before);
}
