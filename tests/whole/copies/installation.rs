//! An installation that has something in every table.

use std::collections::BTreeMap;
use std::time::Duration;

use canary_server::clock::Clock as _;
use canary_tests::{DEVICE, Http, JSON, NDJSON, Product, TestServer, eventually, lines};
use serde_json::{Value, json};

/// Where the clock of every server begins, in seconds since 1970.
const START: i64 = 1_672_569_000;

/// A type whose values are no whole numbers.
const KIND: &str = "pressure";

/// What one organization has.
pub(crate) struct Home {
    pub(crate) http: Http,
    pub(crate) product: Product,
    /// A canary that is open.
    pub(crate) canary: String,
}

/// What two organizations have.
pub(crate) fn furnish(server: &TestServer) -> [Home; 2] {
    server.organization("acme");
    let homes = ["default", "acme"].map(|name| Home::furnish(server, name));
    // The clock stands still from here on, so that these are not folded.
    for Home { http, .. } in &homes {
        send_readings(http, server, 300..340);
        assert!(http.unfolded() > 0);
    }
    homes[0].http.post("/key", &json!({"name": "reader", "scopes": ["read"]})).expect(201);
    homes
}

impl Home {
    fn furnish(server: &TestServer, organization: &str) -> Self {
        let http = server.key(organization, &["admin"]);
        let product = Product::register(&http, "etl");
        let path = format!("/product/{}/policy", product.id);
        put(&http, &path, &json!({"measurements": {"latency_ms": "high_is_bad"}}));
        product.release("1").with("is_canary", false).create();
        let bad = product.release("2").create();
        product.runs().of("1", "success", 40).of("2", "failed", 40).send();
        assert_eq!(http.release(&bad)["state"], "rolled_back");
        let canary = product.release("3").create();
        http.post_with(
            &format!("/release/{canary}/pause"),
            &[("Idempotency-Key", "pause-1")],
            &json!({"reason": "it is late"}),
        )
        .expect(200);
        http.act(&canary, "resume").expect(200);
        product
            .run("3", "success")
            .with("measurements", json!({"latency_ms": 12.5}))
            .send()
            .expect(201);
        product.runs().of("1", "success", 5).of("3", "neutral", 2).of("3", "success", 5).send();
        measure(server, &http);
        Self { http, product, canary }
    }

    /// What every path answers that can be asked for, but for counts of the process; of a refusal,
    /// which has a number of its own, the status.
    pub(crate) fn answers(&self) -> BTreeMap<String, (u16, String)> {
        let document = self.http.get("/openapi.json").expect(200);
        let paths = document["paths"].as_object().expect("paths");
        let paths = paths.iter().filter(|(_, methods)| methods.get("get").is_some());
        let paths = paths.map(|(path, _)| self.fill(path)).filter(|path| path != "/metrics");
        let answer = |path: String| {
            let answer = self.http.get(&path);
            let text = if answer.status == 200 { answer.text } else { String::new() };
            (path, (answer.status, text))
        };
        let answers: BTreeMap<_, _> = paths.map(answer).collect();
        let answered = answers.values().filter(|(status, _)| *status == 200).count();
        assert!(answered >= 20, "{answers:#?}");
        answers
    }

    /// A path of the document, with something to ask for.
    fn fill(&self, path: &str) -> String {
        let id = if path.starts_with("/product") { &self.product.id } else { &self.canary };
        let path = path.replace("{device}", DEVICE).replace("{id}", id).replace("{name}", KIND);
        let path = path.replace("{product}", &self.product.name);
        assert!(!path.contains('{'), "{path} cannot be filled");
        let query = if path.contains("/readings") {
            format!("?type={KIND}")
        } else if path.ends_with("/latest") {
            // A place of its own, the same at every time.
            "?instance_id=worker-1".to_owned()
        } else {
            String::new()
        };
        path + &query
    }
}

fn put(http: &Http, path: &str, body: &Value) {
    let answer = http.send("PUT", path, &[JSON], Some(body.to_string().as_bytes()));
    answer.expect("an answer").expect(200);
}

/// Readings that are folded, half of them of a type that is declared.
fn measure(server: &TestServer, http: &Http) {
    put(
        http,
        &format!("/reading-type/{KIND}"),
        &json!({"minimum": -0.5, "maximum": 2000, "unit": "hPa"}),
    );
    send_readings(http, server, 0..300);
    let mut waiting = http.unfolded();
    while waiting > 0 {
        waiting = eventually("that fewer readings wait to be folded", || {
            server.clock().advance(Duration::from_secs(660));
            Some(http.unfolded()).filter(|now| *now < waiting)
        });
    }
}

/// Sends readings of both types, each of a second of its own.
pub(crate) fn send_readings(http: &Http, server: &TestServer, numbers: std::ops::Range<i64>) {
    let now = server.clock().now().as_micros() / 1_000_000;
    let reading = |number: i64| {
        let (kind, value) = match number % 2 {
            0 => (KIND, json!(1_000.25 + number as f64 / 8.0)),
            _ => ("temperature", json!(number % 50)),
        };
        let second = (START - 7_200 + 37 * number).min(now);
        let version = if number % 3 == 0 { json!("1") } else { Value::Null };
        json!({"device_uuid": DEVICE, "type": kind, "value": value, "date_created": second, "version": version})
    };
    let readings: Vec<Value> = numbers.map(reading).collect();
    let taken = http.post_bytes("/readings", &[NDJSON], lines(&readings).as_bytes()).expect(200);
    assert_eq!(taken["accepted"], readings.len(), "{taken}");
}
