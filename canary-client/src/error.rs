//! What can go wrong, seen from the caller.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not give what was asked for.
///
/// The text is lower case, without a full stop, names the value and says what to do, so that it
/// can be the tail of a longer sentence. Match on the variant, or on [`Error::code`], not on text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot be used: an address without `http://`, a token with a line break.
    ///
    /// Only building a client gives this; the server was not asked. Change the setting.
    #[error("{name} `{value}` {reason}")]
    Setting {
        /// What was set: `url`, `token`, `user agent`.
        name: &'static str,
        /// What it was set to; a token is not repeated.
        value: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },

    /// No connection, or one that broke before the answer, also after all repetitions.
    ///
    /// Check that the server runs and that the address is right; it is
    /// [`ClientBuilder::url`](crate::ClientBuilder::url).
    #[error("cannot reach `{url}` ({reason}), check the address and that the server runs")]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// What the system said.
        reason: String,
    },

    /// The server took longer than [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    ///
    /// Whether it did what was asked is not known. A signal with an id, and a reading with a date,
    /// can be sent again.
    #[error("no answer from `{url}` within {} s, allow more time or try again later", .after.as_secs_f64())]
    TimedOut {
        /// The address that was asked.
        url: String,
        /// How long was waited.
        after: Duration,
    },

    /// The server wants to know who asks (401): there was no key, or one that opens nothing.
    ///
    /// Set or change [`ClientBuilder::token`](crate::ClientBuilder::token), or `CANARY_TOKEN`.
    #[error("not authorized: {detail}; set a valid key as the token{}", Request(.request_id))]
    Unauthorized {
        /// What the server said.
        detail: String,
        /// Under which the server has logged the call.
        request_id: Option<String>,
    },

    /// The key has not the scope that is needed (403).
    ///
    /// Ask with another key; the server names the scope.
    #[error("not allowed: {detail}; use a key that may do this{}", Request(.request_id))]
    Forbidden {
        /// What the server said.
        detail: String,
        /// Under which the server has logged the call.
        request_id: Option<String>,
    },

    /// There is no such product, release or path (404). That there are no readings is no error.
    ///
    /// Check the name or id; register the product and the version first.
    #[error("not found: {detail}")]
    NotFound {
        /// The server's stable word for what is missing.
        code: String,
        /// What the server said.
        detail: String,
    },

    /// What was asked contradicts what is (409): a name that is taken, an action that makes no
    /// sense in this state.
    ///
    /// Look at what is there, then ask for something else.
    #[error("conflict: {detail}")]
    Conflict {
        /// The server's stable word for the conflict.
        code: String,
        /// What the server said.
        detail: String,
    },

    /// The server understood the request and a value in it is not acceptable (400, 422).
    ///
    /// Change the values that `errors` names. Measurements and readings that are no finite numbers
    /// are found before anything is sent.
    #[error("invalid: {}", Said { detail, errors })]
    Invalid {
        /// The server's stable word for what is wrong.
        code: String,
        /// What the server said.
        detail: String,
        /// Which values are not acceptable, and why.
        errors: Vec<FieldError>,
    },

    /// The server has more to do than it can take (503, 429), also after all repetitions.
    ///
    /// Nothing of this call was recorded. Try again after `retry_after`.
    #[error("the server is busy: {detail}, try again {}", Later(.retry_after))]
    Busy {
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
        /// What the server said.
        detail: String,
    },

    /// The server refused for another reason: a body that is too large (413), a content type that
    /// it does not know (415).
    #[error("refused with status {status}: {}", Said { detail, errors })]
    Refused {
        /// The HTTP status, 400 to 499.
        status: u16,
        /// The server's stable word for the reason.
        code: String,
        /// What the server said.
        detail: String,
        /// Which values are not acceptable, and why.
        errors: Vec<FieldError>,
        /// Under which the server has logged the call.
        request_id: Option<String>,
    },

    /// A fault of the server or of a proxy before it (500 to 599).
    ///
    /// Not the caller's; whoever runs the server finds the cause in its log under `request_id`.
    #[error("the server failed with status {status}: {detail}{}", Request(.request_id))]
    Server {
        /// The HTTP status.
        status: u16,
        /// What the server said.
        detail: String,
        /// Under which the server has logged the call.
        request_id: Option<String>,
    },

    /// Something answered, and not as Canary does.
    ///
    /// Mostly the address belongs to something else, or to a server of another generation.
    #[error("`{url}` gave an answer that is not Canary's ({reason}), check the address")]
    BadAnswer {
        /// The address that answered.
        url: String,
        /// What was wrong with the answer.
        reason: String,
    },
}

impl Error {
    /// Whether the same call may succeed later without a change: the server was out of reach, too
    /// slow or busy, or a proxy did not get through to it.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Busy { .. } => true,
            Self::Server { status, .. } => matches!(status, 502 | 504),
            _ => false,
        }
    }

    /// The server's stable word for the reason, such as `unknown_product`, where it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::NotFound { code, .. }
            | Self::Conflict { code, .. }
            | Self::Invalid { code, .. }
            | Self::Refused { code, .. }
                if !code.is_empty() =>
            {
                Some(code)
            }
            _ => None,
        }
    }
}

/// One value of a request that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldError {
    /// Where it is: a JSON pointer into the body, such as `/measurements/latency_ms`.
    #[serde(default)]
    pub pointer: String,
    /// What is wrong with it.
    #[serde(default)]
    pub detail: String,
}

/// What the server said of each value, or else of the whole: "threshold must be …; `/a` is odd".
struct Said<'a> {
    detail: &'a str,
    errors: &'a [FieldError],
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return formatter.write_str(self.detail);
        }
        for (place, FieldError { pointer, detail }) in self.errors.iter().enumerate() {
            if place > 0 {
                formatter.write_str("; ")?;
            }
            // Where the sentence names the value itself, the pointer would say it twice.
            let name = pointer.rsplit('/').next().unwrap_or_default();
            if !detail.contains(name) {
                write!(formatter, "`{pointer}` ")?;
            }
            formatter.write_str(detail)?;
        }
        Ok(())
    }
}

/// " (request 7f…)".
struct Request<'a>(&'a Option<String>);

impl fmt::Display for Request<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// "in 3 s", or "later".
struct Later<'a>(&'a Option<Duration>);

impl fmt::Display for Later<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(delay) => write!(formatter, "in {} s", delay.as_secs()),
            None => formatter.write_str("later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stays_small_enough_to_be_returned_by_value() {
        assert!(size_of::<Error>() <= 112, "{}", size_of::<Error>());
    }

    #[test]
    fn texts_name_the_value_and_what_to_do() {
        let field = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        let cases = [
            (
                Error::Unreachable {
                    url: "http://localhost:8080".into(),
                    reason: "connection refused".into(),
                },
                "cannot reach `http://localhost:8080` (connection refused), check the address and that the server runs",
            ),
            (
                Error::TimedOut { url: "http://x".into(), after: Duration::from_millis(1500) },
                "no answer from `http://x` within 1.5 s, allow more time or try again later",
            ),
            (
                Error::Busy { retry_after: Some(Duration::from_secs(3)), detail: "full".into() },
                "the server is busy: full, try again in 3 s",
            ),
            (
                Error::Invalid {
                    code: "invalid".into(),
                    detail: "threshold must be 0 to 100, got 120; 1 more value".into(),
                    errors: vec![
                        field("/threshold", "threshold must be 0 to 100, got 120"),
                        field("/policy/rule", "must be a text"),
                    ],
                },
                "invalid: threshold must be 0 to 100, got 120; `/policy/rule` must be a text",
            ),
            (
                Error::Unauthorized {
                    detail: "the key is unknown or was revoked".into(),
                    request_id: None,
                },
                "not authorized: the key is unknown or was revoked; set a valid key as the token",
            ),
            (
                Error::Forbidden {
                    detail: "this needs the scope `rollback`, the key has read".into(),
                    request_id: Some("r1".into()),
                },
                "not allowed: this needs the scope `rollback`, the key has read; use a key that may do this (request r1)",
            ),
            (
                Error::Server {
                    status: 500,
                    detail: "fault".into(),
                    request_id: Some("r1".into()),
                },
                "the server failed with status 500: fault (request r1)",
            ),
        ];
        for (error, want) in cases {
            assert_eq!(error.to_string(), want);
        }
    }
}
