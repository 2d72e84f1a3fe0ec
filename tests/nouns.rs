//! Products, releases and signals, in one line each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::{Answer, Http};

/// A product that is registered.
#[derive(Debug, Clone)]
pub struct Product {
    http: Http,
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its artifact_url.
    pub artifact_url: String,
    /// How many instances have run it.
    instances: Arc<AtomicUsize>,
}

impl Product {
    /// Registers a product with this name.
    ///
    /// # Panics
    ///
    /// If it is refused.
    #[track_caller]
    pub fn register(http: &Http, name: &str) -> Self {
        let body = Self::body(name);
        let product = http.post("/product", &body).expect(201);
        let text = |field: &str| product[field].as_str().expect("a text").to_owned();
        let (id, artifact_url) = (text("id"), text("artifact_url"));
        Self {
            http: http.clone(),
            id,
            name: name.to_owned(),
            artifact_url,
            instances: Arc::default(),
        }
    }

    /// What registers a product with this name.
    #[must_use]
    pub fn body(name: &str) -> Value {
        json!({
            "name": name,
            "repository_url": format!("https://git.example/{name}"),
            "artifact_url": format!("https://artifacts.example/{name}"),
        })
    }

    /// A release of it, still to be registered.
    #[must_use]
    pub fn release(&self, version: &str) -> NewRelease {
        let mut body = Map::new();
        body.insert("artifact_url".to_owned(), json!(self.artifact_url));
        body.insert("semver_version".to_owned(), json!(version));
        NewRelease { http: self.http.clone(), body }
    }

    /// A signal about a version of it, still to be sent.
    #[must_use]
    pub fn signal(&self, version: &str, status: &str) -> NewSignal {
        let mut body = Map::new();
        body.insert("artifact_url".to_owned(), json!(self.artifact_url));
        body.insert("semver_version".to_owned(), json!(version));
        body.insert("instance_id".to_owned(), json!("worker-1"));
        body.insert("description".to_owned(), json!("a run"));
        body.insert("status".to_owned(), json!(status));
        NewSignal { http: self.http.clone(), body }
    }

    /// Sends this many signals of one status at once.
    ///
    /// # Panics
    ///
    /// If one of them is not accepted.
    #[track_caller]
    pub fn report(&self, version: &str, status: &str, times: usize) {
        let signals = vec![self.signal(version, status).body(); times];
        let outcome = self.http.post("/signal/batch", &Value::Array(signals)).expect(200);
        assert_eq!(outcome["accepted"], times, "{outcome}");
    }

    /// A signal about a version of it, from an instance that nobody has heard of before.
    #[must_use]
    pub fn run(&self, version: &str, status: &str) -> NewSignal {
        let instance = self.instances.fetch_add(1, Ordering::Relaxed);
        self.signal(version, status).with("instance_id", format!("host-{instance}"))
    }

    /// Runs of it, still to be told of.
    #[must_use]
    pub fn runs(&self) -> Runs {
        Runs { product: self.clone(), signals: Vec::new() }
    }

    /// Where to ask which version to run.
    #[must_use]
    pub fn latest_path(&self) -> String {
        format!("/release/{}/latest", utf8_percent_encode(&self.name, NON_ALPHANUMERIC))
    }

    /// Asks which version to run.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn latest(&self) -> Value {
        self.http.get(&self.latest_path()).expect(200)
    }

    /// Asks which version to run, runs it with success, and reports; gives the version.
    ///
    /// # Panics
    ///
    /// If there is none, or the report is not taken.
    #[track_caller]
    pub fn poll_and_report(&self) -> String {
        let latest = self.latest();
        let version = latest["semver_version"].as_str().expect("a version").to_owned();
        self.signal(&version, "success").send().expect(201);
        version
    }
}

/// How a canary is judged where nobody says anything.
#[must_use]
pub fn default_policy() -> Value {
    json!({
        "rule": "threshold",
        "alpha": 0.05,
        "alpha_floor": 0.01,
        "alpha_measurements": null,
        "rho0": 1.0,
        "early_promotion": false,
        "rho": 2.0,
        "q": null,
        "beta": 0.05,
        "holdback": 0.0,
        "min_signals": 1,
        "at_end": "promote",
        "on_insufficient": "hold",
        "on_supersede": "promote_if_healthy",
        "report_within": null,
        "count_repeats": false,
        "measurements": {},
        "readings": {},
    })
}

/// A release, to be registered.
#[derive(Debug, Clone)]
pub struct NewRelease {
    http: Http,
    body: Map<String, Value>,
}

impl NewRelease {
    /// Sets a field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.body.insert(field.to_owned(), value.into());
        self
    }

    /// Registers it, whatever the answer.
    #[must_use]
    pub fn send(&self) -> Answer {
        self.http.post("/release", &Value::Object(self.body.clone()))
    }

    /// Registers it; gives its identifier.
    ///
    /// # Panics
    ///
    /// If it is refused.
    #[track_caller]
    pub fn create(self) -> String {
        let created = self.send().expect(201);
        created["id"].as_str().expect("an identifier").to_owned()
    }
}

/// A signal, to be sent.
#[derive(Debug, Clone)]
pub struct NewSignal {
    http: Http,
    body: Map<String, Value>,
}

impl NewSignal {
    /// Sets a field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.body.insert(field.to_owned(), value.into());
        self
    }

    /// The body, for a batch.
    #[must_use]
    pub fn body(&self) -> Value {
        Value::Object(self.body.clone())
    }

    /// Sends it, whatever the answer.
    #[must_use]
    pub fn send(&self) -> Answer {
        self.http.post("/signal", &self.body())
    }
}

/// Runs in the order in which they are to arrive, each of an instance of its own.
#[derive(Debug, Clone)]
pub struct Runs {
    product: Product,
    signals: Vec<Value>,
}

impl Runs {
    /// Adds runs of a version that end the same way.
    #[must_use]
    pub fn of(mut self, version: &str, status: &str, times: usize) -> Self {
        for _ in 0..times {
            self.signals.push(self.product.run(version, status).body());
        }
        self
    }

    /// Adds a run.
    #[must_use]
    pub fn and(mut self, signal: &NewSignal) -> Self {
        self.signals.push(signal.body());
        self
    }

    /// Sends all of them at once.
    ///
    /// # Panics
    ///
    /// If one of them is not accepted.
    #[track_caller]
    pub fn send(self) {
        let count = self.signals.len();
        let outcome = self.product.http.post("/signal/batch", &Value::Array(self.signals));
        let outcome = outcome.expect(200);
        assert_eq!(outcome["accepted"], count, "{outcome}");
    }
}
