//! How a command ends, and what its exit code says about it.

use std::process::ExitCode;

use canary_client::Error;
use canary_server::{AccessError, StoreError};

/// How a command that was carried out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is as it was asked for.
    Done,
    /// It was carried out, and the answer is no: a canary was rolled back, a row was refused.
    Refused,
    /// There is no answer yet.
    Later,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::SUCCESS,
            Ending::Refused => Self::from(1),
            Ending::Later => Self::from(75),
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server, or this machine, said no.
    Refused,
    /// The command line cannot be understood or carried out as it is.
    Usage,
    /// The same command may work later.
    Later,
    /// Nobody reads what is written any more, as in `canary … | head`.
    NoReader,
}

impl Failure {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, message: message.into(), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts what was being done before the message.
    pub(crate) fn while_doing(mut self, what: impl std::fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::Later => 75,
            Kind::NoReader => 0,
        }
    }

    /// What goes to standard error: one line, and a second one if there is something to do.
    pub(crate) fn text(&self) -> String {
        match (&self.kind, &self.hint) {
            (Kind::NoReader, _) => String::new(),
            (_, None) => format!("error: {}\n", self.message),
            (_, Some(hint)) => format!("error: {}\nhint: {hint}\n", self.message),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Setting { .. } => Kind::Usage,
            error if error.is_temporary() => Kind::Later,
            _ => Kind::Refused,
        };
        let hint = match &error {
            Error::Unreachable { .. } => {
                Some("start a server with `canary serve`, or name another with --url or CANARY_URL")
            }
            Error::Unauthorized { .. } => Some(
                "give a key with CANARY_TOKEN or --token; `canary key create` makes one, on the server's database",
            ),
            Error::Forbidden { .. } => Some(
                "give another key with CANARY_TOKEN or --token; `canary key create --scope SCOPE` makes one, on the server's database",
            ),
            Error::NotFound { .. } => {
                Some("`canary product list` and `canary release list PRODUCT` show what there is")
            }
            Error::BadAnswer { .. } => Some("--url or CANARY_URL must name a Canary server"),
            _ => None,
        };
        Self { kind, message: error.to_string(), hint: hint.map(str::to_owned) }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        let failure = match &error {
            AccessError::ExpiresInThePast | AccessError::OverlapTooLong { .. } => Self::usage,
            _ => Self::refused,
        };
        let failure = failure(error.to_string());
        match error {
            AccessError::UnknownOrganization(_) => failure.hint("`canary org list` shows all"),
            AccessError::KeyNameTaken(_) => failure.hint("`canary key list` shows all"),
            _ => failure,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::refused(error.to_string());
        match error {
            StoreError::UnknownOrganization(_) => failure.hint("`canary org list` shows all"),
            _ => failure,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Kind::NoReader,
            _ => Kind::Refused,
        };
        Self { kind, message: error.to_string(), hint: None }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn exit_codes_tell_no_from_wrong_from_later() {
        let text = || String::from("x");
        let server = |status| Error::Server { status, detail: text(), request_id: None };
        let cases = [
            (Error::Setting { name: "url", value: text(), reason: text() }, 2),
            (Error::Unreachable { url: text(), reason: text() }, 75),
            (Error::TimedOut { url: text(), after: Duration::ZERO }, 75),
            (Error::Busy { retry_after: None, detail: text() }, 75),
            (server(504), 75),
            (server(500), 1),
            (Error::NotFound { code: text(), detail: text() }, 1),
            (Error::Conflict { code: text(), detail: text() }, 1),
            (Error::BadAnswer { url: text(), reason: text() }, 1),
        ];
        for (error, want) in cases {
            assert_eq!(Failure::from(error.clone()).exit_code(), want, "{error:?}");
        }
        let closed = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!((closed.exit_code(), closed.text().as_str()), (0, ""));
    }

    #[test]
    fn a_hint_has_its_own_line() {
        let failure = Failure::usage("no name").hint("give --name").while_doing("line 3");
        assert_eq!(failure.text(), "error: line 3: no name\nhint: give --name\n");
    }
}
