//! Where everything is kept: the address of a database.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{SettingsError, Values};

/// A text that cannot be the address of a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is no database for this program, {expected}")]
pub struct DatabaseUrlError {
    /// The text, without a password.
    url: String,
    /// What would fit.
    expected: &'static str,
}

/// The address of a database; never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes an address such as `sqlite://canary.db?mode=rwc`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Whether several servers can work on it: not on a file.
    pub(crate) fn is_shared(&self) -> bool {
        !self.0.starts_with("sqlite:")
    }

    /// Checks an address.
    ///
    /// # Errors
    ///
    /// [`DatabaseUrlError`] if it is that of no database that this program knows, or of one that is
    /// not durable.
    pub fn parse(url: impl Into<String>) -> Result<Self, DatabaseUrlError> {
        let url = Self::new(url);
        let text = url.reveal();
        if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(url);
        }
        let expected = if !text.starts_with("sqlite://") {
            "it must begin with sqlite:// or postgres://"
        } else if text.contains(":memory:") || text.contains("mode=memory") {
            "it must name a file: what is in memory alone is not durable"
        } else {
            return Ok(url);
        };
        Err(DatabaseUrlError { url: url.to_string(), expected })
    }

    /// The address with its password: for the driver, not for people.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return formatter.write_str("(no database address)");
        };
        let (place, parameters) = match rest.split_once('?') {
            Some((place, parameters)) => (place, Some(parameters)),
            None => (rest, None),
        };
        // What comes before it may be the begin of a password with a question mark in it.
        if parameters.is_some_and(|parameters| parameters.contains('@')) {
            return write!(formatter, "{scheme}://***");
        }
        match place.rsplit_once('@') {
            Some((credentials, place)) => {
                let user = credentials.split(':').next().unwrap_or_default();
                write!(formatter, "{scheme}://{user}:***@{place}")?;
            }
            None => write!(formatter, "{scheme}://{place}")?,
        }
        for (number, parameter) in parameters.iter().flat_map(|text| text.split('&')).enumerate() {
            formatter.write_str(if number == 0 { "?" } else { "&" })?;
            formatter.write_str(if is_password(parameter) { "password=***" } else { parameter })?;
        }
        Ok(())
    }
}

/// Whether a parameter of an address is the password, as drivers read it.
fn is_password(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    percent_decode_str(name).decode_utf8_lossy().eq_ignore_ascii_case("password")
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The address that settings name, whole or in parts; nothing if they name none.
pub(super) fn read(values: &Values) -> Result<Option<DatabaseUrl>, SettingsError> {
    let url = match (values.get("db_conn_string"), values.get("db_host")) {
        (Some(url), _) => url.clone(),
        (None, None) => return Ok(None),
        (None, Some(host)) => {
            let part = |name: &str, default: &str| {
                values.get(name).cloned().unwrap_or_else(|| default.to_owned())
            };
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let user = encoded(&part("db_user", "postgres"));
            let password = match values.get("db_password") {
                Some(password) => format!(":{}", encoded(password)),
                None => String::new(),
            };
            let (port, name) = (part("db_port", "5432"), encoded(&part("db_name", "postgres")));
            // A host that is a folder is that of a Unix socket.
            let host = if host.starts_with('/') { encoded(host) } else { host.clone() };
            format!("postgres://{user}{password}@{host}:{port}/{name}")
        }
    };
    let bad = |DatabaseUrlError { url: value, expected }| SettingsError::BadValue {
        name: "db_conn_string",
        value,
        expected,
    };
    DatabaseUrl::parse(url).map(Some).map_err(bad)
}
