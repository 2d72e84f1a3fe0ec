//! The frame around every answer: its identifier, problems instead of bare errors, the log.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use poem::http::header::ALLOW;
use poem::http::{HeaderValue, StatusCode, Uri};
use poem::{Endpoint, IntoResponse as _, Request, Response};
use tracing::{debug, info};
use uuid::Uuid;

use super::operation::fits;
use super::problem::{ApiError, REQUEST_ID, of_framework};

const HEADER: &str = "x-request-id";

/// Longest identifier that is taken from a caller.
const LONGEST: usize = 128;

/// Wraps an endpoint.
pub(super) struct Frame<E> {
    inner: E,
    /// What makes the identifiers of this process differ from those of any other.
    prefix: String,
    next: AtomicU64,
    methods: Methods,
}

impl<E> Frame<E> {
    /// `document` is the OpenAPI document of what is inside.
    pub(super) fn around(inner: E, document: &str) -> Self {
        let random = Uuid::new_v4().simple().to_string();
        let prefix = random.chars().take(12).collect();
        Self { inner, prefix, next: AtomicU64::new(1), methods: Methods::read(document) }
    }

    /// The caller's identifier, if it is fit for a log, else a new one.
    fn request_id(&self, request: &Request) -> String {
        let is_fit = |id: &&str| {
            (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        };
        request.header(HEADER).filter(is_fit).map_or_else(
            || format!("{}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)),
            ToOwned::to_owned,
        )
    }
}

impl<E: Endpoint> Endpoint for Frame<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let request_id = self.request_id(&request);
        trim_trailing_slash(&mut request);
        let method = request.method().clone();
        let uri = request.uri().clone();
        let path = uri.path();
        let header = HeaderValue::from_str(&request_id);

        let answer = REQUEST_ID.scope(request_id.clone(), async {
            match AssertUnwindSafe(self.inner.call(request)).catch_unwind().await {
                Ok(Ok(answer)) => answer.into_response(),
                Ok(Err(error)) => of_framework(error, method.as_str(), &uri),
                Err(panic) => ApiError::internal(&text_of(&*panic)).into_response(),
            }
        });
        let mut response = answer.await;
        if let Ok(header) = header {
            response.headers_mut().insert(HEADER, header);
        }
        let status = response.status();
        if status == StatusCode::METHOD_NOT_ALLOWED
            && let Some(allowed) = self.methods.of(path)
        {
            response.headers_mut().insert(ALLOW, allowed);
        }
        let duration_ms = started.elapsed().as_secs_f64() * 1e3;
        if status.is_client_error() || status.is_server_error() {
            info!(
                request.id = request_id,
                status = status.as_u16(),
                duration_ms,
                "{method} {path} answered {status}"
            );
        } else {
            debug!(
                request.id = request_id,
                status = status.as_u16(),
                duration_ms,
                "{method} {path} answered {status}"
            );
        }
        Ok(response)
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a handler panicked: {}", text.unwrap_or_default())
}

/// `/product/` is `/product`; the pages of `/docs` need their own slash.
fn trim_trailing_slash(request: &mut Request) {
    let uri = request.uri();
    let path = uri.path();
    let Some(trimmed) = path.strip_suffix('/').filter(|rest| !rest.is_empty()) else { return };
    if path.starts_with("/docs") || path.starts_with("/redoc") {
        return;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    if let Ok(uri) = path_and_query.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
}

/// The methods of each path, for those who used another.
struct Methods(Vec<(String, HeaderValue)>);

impl Methods {
    fn read(document: &str) -> Self {
        let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
        let paths = document.get("paths").and_then(serde_json::Value::as_object);
        let entry = |(path, methods): (&String, &serde_json::Value)| {
            let names = methods.as_object()?.keys().map(|name| name.to_uppercase());
            let allowed = HeaderValue::from_str(&names.collect::<Vec<_>>().join(", ")).ok()?;
            Some((path.clone(), allowed))
        };
        Self(paths.into_iter().flatten().filter_map(entry).collect())
    }

    /// The methods of the path that a request named; `{…}` stands for any one segment.
    fn of(&self, path: &str) -> Option<HeaderValue> {
        let found = self.0.iter().find(|(template, _)| fits(template, path));
        found.map(|(_, allowed)| allowed.clone())
    }
}
