//! Requests, and what comes back.

use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Method, Request};

use crate::eventually;

/// The most that is read of one answer, in bytes.
const LARGEST_ANSWER: u64 = 64 << 20;

/// The header of a body that is JSON.
pub const JSON: (&str, &str) = ("Content-Type", "application/json");

/// The header of a body that has one JSON object per line.
pub const NDJSON: (&str, &str) = ("Content-Type", "application/x-ndjson");

/// The header of a body that is packed.
pub const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

/// A body that has one object per line, for [`NDJSON`]; each object shows itself as JSON.
#[must_use]
pub fn lines(objects: &[impl Display]) -> String {
    let mut lines = String::with_capacity(objects.len() * 96);
    for object in objects {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{object}");
    }
    lines
}

/// A body packed, for [`GZIP`].
#[must_use]
pub fn packed(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// A way to a server; clones share its connections, and follow it to another address.
#[derive(Debug, Clone)]
pub struct Http {
    url: Arc<RwLock<String>>,
    agent: ureq::Agent,
    key: Option<String>,
}

/// What a server answered, with any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

impl Http {
    /// A way to the server at `url`.
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(256)
            .max_idle_connections_per_host(128)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Self { url: Arc::new(RwLock::new(url.into())), agent, key: None }
    }

    /// The same way, with a key for every request.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    /// The key of every request.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_deref().expect("a key")
    }

    /// Leads all clones to another address.
    pub(crate) fn lead_to(&self, url: String) {
        *self.url.write().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// Where the server is, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for `path`, which begins with a slash and may have a query.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// Asks with headers.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, None).expect("an answer")
    }

    /// Posts JSON.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body)
    }

    /// Posts JSON with headers.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [&[JSON], headers].concat();
        self.post_bytes(path, &headers, body.to_string().as_bytes())
    }

    /// Posts bytes, with these headers alone.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", path, headers, Some(body)).expect("an answer")
    }

    /// Sends any request.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    ///
    /// # Panics
    ///
    /// If it is no request.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut head = Request::builder().method(method).uri(format!("{}{path}", self.url()));
        for (name, value) in headers {
            head = head.header(*name, *value);
        }
        if let Some(key) = &self.key {
            head = head.header("Authorization", format!("Bearer {key}"));
        }
        let mut response = match body {
            Some(body) => self.agent.run(head.body(body).expect("a request"))?,
            None => self.agent.run(head.body(()).expect("a request"))?,
        };
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec()?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: String::from_utf8(body).expect("answers are UTF-8"),
        })
    }

    /// A release with its state and counts.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn release(&self, id: &str) -> Value {
        self.get(&format!("/release/{id}")).expect(200)
    }

    /// How many signals of each status a release has.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn signals(&self, release: &str) -> Value {
        self.release(release)["signals"].clone()
    }

    /// The timeline of a release.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn decisions(&self, release: &str) -> Vec<Value> {
        let timeline = self.get(&format!("/release/{release}/decisions")).expect(200);
        timeline.as_array().expect("a list").clone()
    }

    /// The first decision of this kind about a release, as soon as it is taken.
    ///
    /// # Panics
    ///
    /// If it is not within 10 s.
    #[track_caller]
    pub fn decided(&self, release: &str, action: &str) -> Value {
        eventually(action, || {
            self.decisions(release).into_iter().find(|told| told["action"] == action)
        })
    }

    /// What the judge sees of a canary.
    ///
    /// # Panics
    ///
    /// If it never was one.
    #[must_use]
    #[track_caller]
    pub fn analysis(&self, release: &str) -> Value {
        self.get(&format!("/release/{release}/analysis")).expect(200)
    }

    /// Asks what would have become of a canary otherwise, whatever the answer.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn simulate(&self, release: &str, body: &Value) -> Answer {
        self.post(&format!("/release/{release}/simulate"), body)
    }

    /// Promotes, rolls back, pauses or resumes a release, whatever the answer.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn act(&self, release: &str, action: &str) -> Answer {
        self.post(&format!("/release/{release}/{action}"), &json!({"reason": "a reason"}))
    }

    /// A page and all that follow it, by the `Link` of each, and how many pages there were.
    ///
    /// # Panics
    ///
    /// If a page is no list, or there are more than a thousand.
    #[must_use]
    pub fn all_pages(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
        for pages in 0..1000 {
            let Some(path) = next else { return (items, pages) };
            let answer = self.get(&path);
            next = answer.next_page();
            items.extend(answer.expect(200).as_array().expect("a list").iter().cloned());
        }
        panic!("the pages of {path} have no end");
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in the answer {}: {}", self.status, self.text))
    }

    /// The body as JSON of an answer that must have this status.
    ///
    /// # Panics
    ///
    /// If it has another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Looks at the status of an answer without a body.
    ///
    /// # Panics
    ///
    /// If it is another, or there is a body.
    #[track_caller]
    pub fn expect_status(&self, status: u16) {
        assert_eq!((self.status, self.text.as_str()), (status, ""), "{}", self.text);
    }

    /// The body of a problem that must have this status and code.
    ///
    /// # Panics
    ///
    /// If it has another, or is no problem document of its whole shape.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let content_type = self.header("Content-Type").unwrap_or_default();
        assert!(
            content_type.starts_with("application/problem+json"),
            "content type {content_type}: {}",
            self.text
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{problem}");
        for field in ["title", "detail", "request_id"] {
            let text = problem[field].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{field} in {problem}");
        }
        assert_eq!(problem["request_id"].as_str(), self.header("X-Request-Id"), "{problem}");
        problem
    }

    /// The pointers to the values that a body was refused for, with 422.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[must_use]
    #[track_caller]
    pub fn expect_pointers(&self) -> Vec<String> {
        let problem = self.expect_problem(422, "invalid");
        let errors = problem["errors"].as_array().expect("errors").iter();
        errors.map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Where the `Link` to the next page leads, if there is one.
    ///
    /// # Panics
    ///
    /// If there is a `Link` of another form.
    #[must_use]
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("Link")?;
        let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        Some(target.unwrap_or_else(|| panic!("no link to a next page: {link}")).to_owned())
    }
}
