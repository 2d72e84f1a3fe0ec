//! What can be set about a client, and the environment it is read from.

use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::transport::{Http, Limits};

/// Where a client looks when nothing else is said.
const DEFAULT_URL: &str = "http://localhost:8080";

/// Builds a [`Client`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use canary_client::Client;
///
/// let client = Client::builder()
///     .url("https://canary.example")
///     .token("a token")
///     .timeout(Duration::from_secs(5))
///     .build()?;
/// assert_eq!(client.url(), "https://canary.example");
///
/// let error = Client::new("canary.example").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "url `canary.example` must begin with http:// or https:// and name a host"
/// );
/// # Ok::<(), canary_client::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    url: String,
    token: Option<String>,
    connect_timeout: Duration,
    timeout: Duration,
    user_agent: String,
    retries: u32,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            url: DEFAULT_URL.to_owned(),
            token: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            user_agent: concat!("canary-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            retries: 3,
        }
    }
}

impl ClientBuilder {
    /// The defaults, with address and token from the environment: `CANARY_URL`, else
    /// `CANARYPY_URL`; `CANARY_TOKEN`. A variable that is empty counts as absent.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the file through which settings enter"
            )]
            std::env::var(name).ok()
        })
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| read(name).filter(|value| !value.is_empty());
        let mut builder = Self::default();
        if let Some(url) = read("CANARY_URL").or_else(|| read("CANARYPY_URL")) {
            builder.url = url;
        }
        builder.token = read("CANARY_TOKEN");
        builder
    }

    /// Where the server is; `http://localhost:8080` if not set. A path is kept as a prefix.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// Proves who asks; sent as a bearer token, never logged or shown.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How long one connection attempt may take, name resolution and TLS included; 5 seconds if
    /// not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take from the connection to the end of the answer; 30 seconds if
    /// not set. A call that is repeated may take this long each time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What the server's log says about who asked; `canary-client/<version>` if not set.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How often a call is repeated at most, see [the crate's documentation](crate); 3 if not set.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Checks the settings and makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the address does not begin with `http://` or `https://`, names no
    /// host, or holds a password, a query or a fragment; or if token or user agent cannot be sent
    /// in a header.
    pub fn build(self) -> Result<Client> {
        let url = check_url(&self.url)?;
        if let Some(token) = &self.token {
            check_header("token", token, "(hidden)")?;
        }
        check_header("user agent", &self.user_agent, &self.user_agent)?;
        let limits = Limits { connect: self.connect_timeout, total: self.timeout };
        let http = Http::new(url.clone(), self.token, self.user_agent, limits);
        Ok(Client::over(url, self.retries, Arc::new(http)))
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("user_agent", &self.user_agent)
            .field("retries", &self.retries)
            .finish()
    }
}

/// The address without a slash at its end.
fn check_url(url: &str) -> Result<String> {
    let refuse = |value: &str, reason: &str| {
        Err(Error::Setting { name: "url", value: value.to_owned(), reason: reason.to_owned() })
    };
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    match host {
        None | Some("") => refuse(url, "must begin with http:// or https:// and name a host"),
        Some(host) if host.contains('@') => {
            refuse("(hidden)", "must not hold a password, set a token instead")
        }
        Some(_) if !url.bytes().all(|byte| byte.is_ascii_graphic()) => {
            refuse(url, "must not hold blanks or characters that are not ASCII")
        }
        Some(_) if url.contains(['?', '#']) => refuse(url, "must not hold a query or a fragment"),
        Some(_) => Ok(url.trim_end_matches('/').to_owned()),
    }
}

fn check_header(name: &'static str, value: &str, shown: &str) -> Result<()> {
    if !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    Err(Error::Setting {
        name,
        value: shown.escape_debug().to_string(),
        reason: "must be one line of visible ASCII characters".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_before_anything_is_sent() {
        let cases = [
            ("http://localhost:8080", Ok("http://localhost:8080")),
            ("https://canary.example/prefix/", Ok("https://canary.example/prefix")),
            ("http://[::1]:8080", Ok("http://[::1]:8080")),
            ("localhost:8080", Err("must begin with http://")),
            ("http://", Err("name a host")),
            ("ftp://canary.example", Err("must begin with http://")),
            ("http://user:secret@canary.example", Err("`(hidden)` must not hold a password")),
            ("http://canary.example/a b", Err("must not hold blanks")),
            ("http://canary.example/?a=b", Err("must not hold a query")),
        ];
        for (url, want) in cases {
            match (check_url(url).map_err(|error| error.to_string()), want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
                (got, want) => panic!("{url}: {got:?} instead of {want:?}"),
            }
        }
    }

    #[test]
    fn the_newer_name_wins_and_empty_is_absent() {
        let cases = [
            (vec![], DEFAULT_URL),
            (vec![("CANARYPY_URL", "http://old")], "http://old"),
            (vec![("CANARYPY_URL", "http://old"), ("CANARY_URL", "http://new")], "http://new"),
            (vec![("CANARYPY_URL", "http://old"), ("CANARY_URL", "")], "http://old"),
        ];
        for (variables, want) in cases {
            let read = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(ClientBuilder::from_variables(read).url, want);
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let builder = ClientBuilder::default().token("secret\n");
        assert!(!format!("{builder:?}").contains("secret"));
        let error = builder.build().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().starts_with("token `(hidden)` must be"), "{error}");
    }
}
