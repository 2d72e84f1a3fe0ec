//! Carries requests to the server; the only file that knows ureq, with its twin in memory.

use std::time::Duration;

use serde::Serialize;
use ureq::http;
use ureq::http::header::{ACCEPT, AUTHORIZATION, LINK, LOCATION, RETRY_AFTER};

use crate::error::{Error, Result};

/// The most that is read of one answer, in bytes.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// One call, ready to be sent as often as it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// `GET`, `POST` or `PUT`.
    pub(crate) method: &'static str,
    /// Path and query, beginning with a slash, percent-encoded.
    pub(crate) target: String,
    /// What is sent with it; nothing with a `GET`.
    pub(crate) body: Option<Body>,
}

impl Request {
    /// Asks for something.
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self { method: "GET", target: target.into(), body: None }
    }

    /// Adds something.
    pub(crate) fn post(target: impl Into<String>, body: Body) -> Self {
        Self { method: "POST", target: target.into(), body: Some(body) }
    }

    /// Says what shall be at a place; saying it twice changes nothing.
    pub(crate) fn put(target: impl Into<String>, body: Body) -> Self {
        Self { method: "PUT", target: target.into(), body: Some(body) }
    }
}

/// What is posted or put.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    pub(crate) content_type: &'static str,
    pub(crate) is_gzip: bool,
    pub(crate) bytes: Vec<u8>,
    /// The same for every repetition of one call; nothing where what is sent is safe to repeat.
    pub(crate) idempotency_key: Option<String>,
}

impl Body {
    /// A value as JSON.
    pub(crate) fn json(value: &impl Serialize, idempotency_key: Option<String>) -> Self {
        // Unwrap safety: structs of strings, finite numbers and maps with string keys.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        let bytes = serde_json::to_vec(value).unwrap();
        Self { content_type: "application/json", is_gzip: false, bytes, idempotency_key }
    }
}

/// What came back, whatever its status.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) link: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) bytes: Vec<u8>,
}

/// Sends a request, once; tells the time, and lets it pass.
pub(crate) trait Transport: Send + Sync {
    /// Gives the answer with any status; an error is that there was none.
    fn send(&self, request: &Request) -> Result<Answer>;

    /// Waits before a repetition.
    fn pause(&self, delay: Duration) {
        std::thread::sleep(delay);
    }
}

/// How long one attempt may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
}

/// HTTP/1.1 over a pool of connections.
pub(crate) struct Http {
    agent: ureq::Agent,
    url: String,
    authorization: Option<String>,
    limits: Limits,
}

impl Http {
    pub(crate) fn new(
        url: String,
        token: Option<String>,
        user_agent: String,
        limits: Limits,
    ) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would take the token elsewhere, or turn a POST into a GET.
            .max_redirects(0)
            .user_agent(user_agent)
            .timeout_connect(Some(limits.connect))
            .timeout_global(Some(limits.total))
            .build();
        let authorization = token.map(|token| format!("Bearer {token}"));
        Self { agent: config.new_agent(), url, authorization, limits }
    }

    fn exchange(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let mut head = http::Request::builder()
            .method(request.method)
            .uri(format!("{}{}", self.url, request.target))
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            head = head.header(AUTHORIZATION, authorization);
        }
        let mut response = match &request.body {
            None => self.agent.run(head.body(())?)?,
            Some(body) => {
                head = head.header("Content-Type", body.content_type);
                if let Some(key) = &body.idempotency_key {
                    head = head.header("Idempotency-Key", key);
                }
                if body.is_gzip {
                    head = head.header("Content-Encoding", "gzip");
                }
                self.agent.run(head.body(body.bytes.as_slice())?)?
            }
        };
        let header = |name| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Ok(Answer {
            status: response.status().as_u16(),
            link: header(LINK),
            location: header(LOCATION),
            retry_after: header(RETRY_AFTER)
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
            bytes: response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec()?,
        })
    }

    fn explain(&self, error: &ureq::Error) -> Error {
        let url = self.url.clone();
        // Errors that ureq raises inside a stream come wrapped in an `io::Error`.
        let inner = match error {
            ureq::Error::Io(cause) => {
                cause.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>())
            }
            _ => None,
        };
        match inner.unwrap_or(error) {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                let reason =
                    format!("no connection within {} s", self.limits.connect.as_secs_f64());
                Error::Unreachable { url, reason }
            }
            ureq::Error::Timeout(_) => Error::TimedOut { url, after: self.limits.total },
            ureq::Error::HostNotFound => {
                Error::Unreachable { url, reason: "the host name is not known".to_owned() }
            }
            ureq::Error::Io(cause) => Error::Unreachable { url, reason: chain(cause) },
            other @ (ureq::Error::ConnectionFailed
            | ureq::Error::ConnectProxyFailed(_)
            | ureq::Error::Rustls(_)
            | ureq::Error::Tls(_)) => Error::Unreachable { url, reason: chain(other) },
            other => Error::BadAnswer { url, reason: chain(other) },
        }
    }
}

impl Transport for Http {
    fn send(&self, request: &Request) -> Result<Answer> {
        self.exchange(request).map_err(|error| self.explain(&error))
    }
}

/// An error and its causes in one line, without saying the same twice.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
pub(crate) mod memory {
    //! A server that is a list of answers.

    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;

    /// Gives the answers in order, and remembers what it was asked and how long it was waited.
    #[derive(Default)]
    pub(crate) struct Script {
        answers: Mutex<VecDeque<Result<Answer>>>,
        pub(crate) requests: Mutex<Vec<Request>>,
        pub(crate) pauses: Mutex<Vec<Duration>>,
    }

    impl Script {
        pub(crate) fn of(answers: impl IntoIterator<Item = Result<Answer>>) -> Self {
            Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() }
        }

        pub(crate) fn targets(&self) -> Vec<String> {
            self.requests.lock().unwrap().iter().map(|r| r.target.clone()).collect()
        }
    }

    impl Transport for Script {
        fn send(&self, request: &Request) -> Result<Answer> {
            self.requests.lock().unwrap().push(request.clone());
            self.answers.lock().unwrap().pop_front().expect("one more request than answers")
        }

        fn pause(&self, delay: Duration) {
            self.pauses.lock().unwrap().push(delay);
        }
    }

    pub(crate) fn answer(status: u16, body: &str) -> Result<Answer> {
        Ok(Answer { status, bytes: body.as_bytes().to_vec(), ..Answer::default() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn http(url: String) -> Http {
        let limits = Limits { connect: Duration::from_secs(2), total: Duration::from_millis(300) };
        Http::new(url, Some("secret".into()), "test/1".into(), limits)
    }

    /// Answers one request with `answer` and gives what was asked.
    fn serve_once(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = vec![0; 4096];
            let mut length = stream.read(&mut bytes).unwrap();
            while !bytes[..length].ends_with(b"body") && !bytes[..length].ends_with(b"\r\n\r\n") {
                length += stream.read(&mut bytes[length..]).unwrap();
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&bytes[..length]).to_lowercase()
        });
        (url, server)
    }

    #[test]
    fn a_post_carries_what_the_server_needs_and_any_status_is_an_answer() {
        let (url, server) = serve_once(
            "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nLink: </a>; rel=\"next\"\r\nContent-Length: 4\r\n\r\nfull",
        );
        let body = Body {
            content_type: "application/x-ndjson",
            is_gzip: true,
            bytes: b"body".to_vec(),
            idempotency_key: Some("key-1".to_owned()),
        };
        let request = Request::post("/signal/batch", body);
        let answer = http(format!("{url}/prefix")).send(&request).unwrap();
        assert_eq!((answer.status, answer.bytes.as_slice()), (503, b"full".as_slice()));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(answer.link.as_deref(), Some("</a>; rel=\"next\""));

        let asked = server.join().unwrap();
        for part in [
            "post /prefix/signal/batch http/1.1\r\n",
            "authorization: bearer secret\r\n",
            "user-agent: test/1\r\n",
            "content-type: application/x-ndjson\r\n",
            "content-encoding: gzip\r\n",
            "idempotency-key: key-1\r\n",
            "content-length: 4\r\n",
        ] {
            assert!(asked.contains(part), "{part} is missing in {asked}");
        }
    }

    #[test]
    fn what_goes_wrong_on_the_way_is_told_apart() {
        let get = Request::get("/version");

        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = http(format!("http://{closed}")).send(&get).unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");

        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let error = http(url.clone()).send(&get).unwrap_err();
        assert_eq!(error, Error::TimedOut { url, after: Duration::from_millis(300) });

        let (url, server) = serve_once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        let error = http(url).send(&get).unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
        server.join().unwrap();

        let (url, server) = serve_once("SSH-2.0-OpenSSH\r\n\r\n");
        let error = http(url).send(&get).unwrap_err();
        assert!(matches!(error, Error::BadAnswer { .. }), "{error:?}");
        server.join().unwrap();

        let (url, server) = serve_once(
            "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere\r\nContent-Length: 0\r\n\r\n",
        );
        let answer = http(url).send(&get).unwrap();
        assert_eq!((answer.status, answer.location.as_deref()), (301, Some("https://elsewhere")));
        server.join().unwrap();
    }
}
