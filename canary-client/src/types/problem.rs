//! Problem documents (RFC 9457): how the server says no.

use serde::Deserialize;

use crate::error::{Error, FieldError};
use crate::transport::Answer;

/// The members that are used; all of them may be missing, since a proxy may have answered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    code: String,
    request_id: Option<String>,
    errors: Vec<FieldError>,
}

/// What an answer with a status other than 200 to 299 means.
pub(crate) fn read(url: &str, answer: &Answer) -> Error {
    let problem: Problem = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    let Problem { title, detail, code, request_id, errors } = problem;
    let detail = [detail, title]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| "no reason was given".to_owned());
    match answer.status {
        401 => Error::Unauthorized { detail, request_id },
        403 => Error::Forbidden { detail, request_id },
        404 => Error::NotFound { code, detail },
        409 => Error::Conflict { code, detail },
        400 | 422 => Error::Invalid { code, detail, errors },
        429 | 503 => Error::Busy { retry_after: answer.retry_after, detail },
        status @ 400..=499 => Error::Refused { status, code, detail, errors, request_id },
        status @ 500..=599 => Error::Server { status, detail, request_id },
        status => {
            let reason = match &answer.location {
                Some(location) => format!("status {status}, moved to {location}"),
                None => format!("status {status}"),
            };
            Error::BadAnswer { url: url.to_owned(), reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_status_has_its_meaning() {
        let body = r#"{"type":"https://x/unknown","title":"Title","status":0,"detail":"the detail",
            "code":"a-code","request_id":"r1","errors":[{"pointer":"/a","detail":"is odd"}]}"#;
        let errors = || vec![FieldError { pointer: "/a".into(), detail: "is odd".into() }];
        let (code, detail) = (|| "a-code".to_owned(), || "the detail".to_owned());
        let request_id = || Some("r1".to_owned());
        let invalid = || Error::Invalid { code: code(), detail: detail(), errors: errors() };
        let busy = || Error::Busy { retry_after: Some(Duration::from_secs(2)), detail: detail() };
        let refused = |status| Error::Refused {
            status,
            code: code(),
            detail: detail(),
            errors: errors(),
            request_id: request_id(),
        };
        let server = |status| Error::Server { status, detail: detail(), request_id: request_id() };
        let cases = [
            (400, invalid()),
            (401, Error::Unauthorized { detail: detail(), request_id: request_id() }),
            (403, Error::Forbidden { detail: detail(), request_id: request_id() }),
            (404, Error::NotFound { code: code(), detail: detail() }),
            (409, Error::Conflict { code: code(), detail: detail() }),
            (413, refused(413)),
            (415, refused(415)),
            (422, invalid()),
            (429, busy()),
            (500, server(500)),
            (502, server(502)),
            (503, busy()),
            (
                304,
                Error::BadAnswer {
                    url: "http://x".into(),
                    reason: "status 304, moved to https://y".into(),
                },
            ),
        ];
        for (status, want) in cases {
            let answer = Answer {
                status,
                link: None,
                location: Some("https://y".into()),
                retry_after: Some(Duration::from_secs(2)),
                bytes: body.into(),
            };
            assert_eq!(read("http://x", &answer), want, "{status}");
        }
    }

    #[test]
    fn an_answer_without_a_problem_document_is_still_understood() {
        let cases = [
            ("", "no reason was given"),
            ("<html>not found</html>", "no reason was given"),
            (r#"{"title":"Not Found"}"#, "Not Found"),
            (r#"{"detail":"from CanaryPy"}"#, "from CanaryPy"),
            ("[1, 2]", "no reason was given"),
        ];
        for (body, want) in cases {
            let answer = Answer { status: 404, bytes: body.into(), ..Answer::default() };
            let want = Error::NotFound { code: String::new(), detail: want.into() };
            assert_eq!(read("http://x", &answer), want, "{body}");
        }
    }
}
