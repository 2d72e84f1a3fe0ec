//! Problems: every answer that is no success, as RFC 9457 describes it.
//!
//! The only place that knows status codes: one table of kinds, and one `match` without `_` from
//! each error to its kind.
//! A problem's `type` leads to a page that explains it; a 5xx shows a request id and nothing of the
//! inside.

mod kind;

use canary_core::lineup::ActionError;
use canary_core::value::ValueError;
use poem::IntoResponse as _;
use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError};
use poem::http::{StatusCode, Uri};
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;
use tracing::{debug, error};

pub(crate) use self::kind::Kind;
use crate::access::AccessError;
use crate::ingest::IngestError;
use crate::store::StoreError;

tokio::task_local! {
    /// The identifier of the request that is being answered.
    pub(crate) static REQUEST_ID: String;
}

/// One value of a body that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
pub(crate) struct FieldError {
    /// JSON pointer to the value, for example `/threshold`; empty for the whole body.
    pub(crate) pointer: String,
    /// What is wrong with it.
    pub(crate) detail: String,
}

/// A problem document of RFC 9457.
#[derive(Debug, Clone, Serialize, Object)]
pub(crate) struct Problem {
    /// Where this kind of problem is explained.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    problem_type: String,
    /// The kind of problem, for a person.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time, in one sentence.
    detail: String,
    /// The kind of problem, a stable word.
    code: String,
    /// Identifies the request in the log.
    request_id: String,
    /// The values of the body that cannot be accepted.
    #[oai(skip_serializing_if_is_empty)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// What the API answers besides success.
#[derive(Debug, ApiResponse)]
pub(crate) enum ApiError {
    /// The request cannot be read.
    #[oai(status = 400, content_type = "application/problem+json")]
    BadRequest(Json<Box<Problem>>),
    /// No key, or one that opens nothing.
    #[oai(status = 401, content_type = "application/problem+json")]
    Unauthorized(
        Json<Box<Problem>>,
        /// How to send a key: `Bearer`.
        #[oai(header = "WWW-Authenticate")]
        String,
    ),
    /// The key has not the scope that is needed.
    #[oai(status = 403, content_type = "application/problem+json")]
    Forbidden(Json<Box<Problem>>),
    /// No such thing.
    #[oai(status = 404, content_type = "application/problem+json")]
    NotFound(Json<Box<Problem>>),
    /// The path has no such method.
    #[oai(status = 405, content_type = "application/problem+json")]
    MethodNotAllowed(Json<Box<Problem>>),
    /// Taken, or not in this state.
    #[oai(status = 409, content_type = "application/problem+json")]
    Conflict(Json<Box<Problem>>),
    /// The body is larger than this path accepts.
    #[oai(status = 413, content_type = "application/problem+json")]
    TooLarge(Json<Box<Problem>>),
    /// The Content-Type is not one that this path reads.
    #[oai(status = 415, content_type = "application/problem+json")]
    MediaType(Json<Box<Problem>>),
    /// A server with another role does this.
    #[oai(status = 421, content_type = "application/problem+json")]
    Misdirected(Json<Box<Problem>>),
    /// The request is understood, and its values cannot be accepted.
    #[oai(status = 422, content_type = "application/problem+json")]
    Refused(Json<Box<Problem>>),
    /// A fault of the server; the cause is in the log under `request_id`.
    #[oai(status = 500, content_type = "application/problem+json")]
    Internal(Json<Box<Problem>>),
    /// Too much waits, or the server is starting or stopping.
    #[oai(status = 503, content_type = "application/problem+json")]
    Busy(
        Json<Box<Problem>>,
        /// Seconds after which to try again.
        #[oai(header = "Retry-After")]
        u64,
    ),
}

impl ApiError {
    /// A problem with one sentence.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self::with_errors(kind, detail, Vec::new())
    }

    /// A problem with the values that cannot be accepted.
    pub(crate) fn with_errors(
        kind: Kind,
        detail: impl Into<String>,
        errors: Vec<FieldError>,
    ) -> Self {
        let (code, status, title) = kind.row();
        let problem = Json(Box::new(Problem {
            problem_type: format!("/problems/{code}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            request_id: REQUEST_ID.try_with(Clone::clone).unwrap_or_default(),
            errors,
        }));
        match status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem, "Bearer".to_owned()),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            405 => Self::MethodNotAllowed(problem),
            409 => Self::Conflict(problem),
            413 => Self::TooLarge(problem),
            415 => Self::MediaType(problem),
            421 => Self::Misdirected(problem),
            422 => Self::Refused(problem),
            503 => Self::Busy(problem, 1),
            _ => Self::Internal(problem),
        }
    }

    /// As a browser understands it: it asks its user for a name, which may be anything, and for the
    /// key.
    pub(crate) fn for_browsers(mut self) -> Self {
        if let Self::Unauthorized(_, challenge) = &mut self {
            "Basic realm=\"canary\", charset=\"UTF-8\"".clone_into(challenge);
        }
        self
    }

    /// Values of a body that cannot be accepted; the detail tells of the first.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [] => String::new(),
            [only] => only.detail.clone(),
            [first, rest @ ..] => {
                let noun = if rest.len() == 1 { "value" } else { "values" };
                format!("{}; {} more {noun} cannot be accepted", first.detail, rest.len())
            }
        };
        Self::with_errors(Kind::Invalid, detail, errors)
    }

    /// A parameter that is no value of the domain.
    pub(crate) fn parameter(name: &str, error: &ValueError) -> Self {
        let kind = match error {
            ValueError::NotUuid { .. } => Kind::NotUuid,
            _ => Kind::InvalidParameter,
        };
        Self::new(kind, format!("parameter `{name}`: {error}"))
    }

    /// The stable word and the sentence, for the element of a batch.
    pub(crate) fn code_and_detail(mut self) -> (String, String) {
        let problem = self.problem();
        (std::mem::take(&mut problem.code), std::mem::take(&mut problem.detail))
    }

    /// Says more about a value that cannot be accepted.
    pub(crate) fn add_to_detail(mut self, of: &str, more: impl Fn() -> String) -> Self {
        let problem = self.problem();
        for error in problem.errors.iter_mut().filter(|error| error.detail == of) {
            error.detail = format!("{of}, {}", more());
            problem.detail = problem.detail.replacen(of, &error.detail, 1);
        }
        self
    }

    fn problem(&mut self) -> &mut Problem {
        let (Self::BadRequest(problem)
        | Self::Unauthorized(problem, _)
        | Self::Forbidden(problem)
        | Self::NotFound(problem)
        | Self::MethodNotAllowed(problem)
        | Self::Conflict(problem)
        | Self::TooLarge(problem)
        | Self::MediaType(problem)
        | Self::Misdirected(problem)
        | Self::Refused(problem)
        | Self::Internal(problem)
        | Self::Busy(problem, _)) = self;
        &mut problem.0
    }

    /// What the store could not do.
    fn of_store(cause: &StoreError) -> Self {
        let detail = match cause {
            StoreError::Unavailable(_) => {
                "the database does not answer, nothing has changed; try again later"
            }
            StoreError::OutcomeUnknown => {
                "the database was lost while this was stored, and it may be; send it again, with \
                the same id or Idempotency-Key"
            }
            StoreError::TooSlow(_) => "the database would take too long over this, ask for less",
            _ => return Self::internal(cause),
        };
        let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        debug!(request.id = request_id, %cause, "a request could not be answered");
        Self::new(Kind::Unavailable, detail)
    }

    /// A fault of the server: told in the log, not in the answer.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        error!(request.id = request_id, %cause, "a request failed");
        Self::new(Kind::Internal, "the server failed to answer, its log has the cause")
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        let kind = match &error {
            IngestError::NameTaken(_)
            | IngestError::ArtifactUrlTaken(_)
            | IngestError::VersionTaken { .. } => Kind::Taken,
            IngestError::Register(_)
            | IngestError::Action(
                ActionError::WrongState { .. } | ActionError::CanaryIsRunning { .. },
            ) => Kind::Conflict,
            IngestError::TypeHasReadings(_) | IngestError::TooManyTypes => Kind::Conflict,
            IngestError::UnknownRelease(_) => Kind::UnknownRelease,
            IngestError::KeyReused(_) => Kind::KeyReused,
            IngestError::QueueFull { .. }
            | IngestError::BacklogFull { .. }
            | IngestError::TypeChanged
            | IngestError::Stopping { .. } => Kind::Busy,
            IngestError::FoldedElsewhere => return Self::internal(&error),
            IngestError::Store(cause) => return Self::of_store(cause),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        let field = |pointer: &str, error: &AccessError| {
            let (pointer, detail) = (pointer.to_owned(), error.to_string());
            Self::invalid(vec![FieldError { pointer, detail }])
        };
        let kind = match &error {
            AccessError::OrganizationTaken(_) | AccessError::KeyNameTaken(_) => Kind::Taken,
            AccessError::UnknownKey(_) => Kind::UnknownKey,
            AccessError::Revoked(_)
            | AccessError::Expired(_)
            | AccessError::Replaced { .. }
            | AccessError::FirstIsNoAdmin => Kind::Conflict,
            AccessError::NotTheFirst => Kind::Unauthorized,
            AccessError::ExpiresInThePast => return field("/expires_at", &error),
            AccessError::OverlapTooLong { .. } => return field("/overlap_seconds", &error),
            AccessError::UnknownOrganization(_) | AccessError::Random(_) => {
                return Self::internal(&error);
            }
            AccessError::Store(cause) => return Self::of_store(cause),
        };
        Self::new(kind, error.to_string())
    }
}

/// Makes a problem of what the framework refused: unknown paths, wrong methods, unreadable
/// parameters.
pub(crate) fn of_framework(error: poem::Error, method: &str, uri: &Uri) -> poem::Response {
    let path = uri.path();
    let text = error.to_string();
    let api_error = if error.is::<NotFoundError>() {
        ApiError::new(Kind::UnknownPath, format!("there is no path `{path}`"))
    } else if error.is::<MethodNotAllowedError>() {
        let detail = format!("path `{path}` has no method {method}");
        ApiError::new(Kind::MethodNotAllowed, detail)
    } else if let Some(ParseParamError { name, .. }) = error.downcast_ref() {
        let query = uri.query().unwrap_or_default().split('&');
        let value = query.filter_map(|pair| pair.split_once('=')).find(|(key, _)| key == name);
        let value = value.map(|(_, value)| value).unwrap_or_default();
        let detail = format!("parameter `{name}` is `{value}`, it must be a whole number");
        ApiError::new(Kind::InvalidParameter, detail)
    } else if error.is::<ParsePathError>() || error.is::<poem::error::ParsePathError>() {
        ApiError::new(Kind::InvalidParameter, format!("path `{path}` cannot be read as text"))
    } else if error.is::<ContentTypeError>() {
        ApiError::new(Kind::UnsupportedMediaType, text)
    } else if error.is::<ReadBodyError>() {
        ApiError::new(Kind::NotJson, text)
    } else if error.is_from_response() {
        return error.into_response();
    } else {
        match error.status() {
            status if status.is_client_error() => ApiError::new(Kind::NotJson, text),
            StatusCode::SERVICE_UNAVAILABLE => ApiError::new(Kind::Busy, text),
            _ => ApiError::internal(&text),
        }
    };
    api_error.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_and_a_word_of_its_own() {
        let mut codes: Vec<&str> = Kind::ALL.iter().map(|(_, code, ..)| *code).collect();
        for (kind, code, status, ..) in Kind::ALL {
            assert_eq!(kind.row().0, code);
            let response = ApiError::new(kind, "detail").into_response();
            assert_eq!(response.status().as_u16(), status, "{code}");
            let content_type = response.header("content-type").unwrap();
            assert!(content_type.starts_with("application/problem+json"), "{code}: {content_type}");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Kind::ALL.len());
    }
}
