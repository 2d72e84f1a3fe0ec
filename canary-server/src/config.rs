//! Settings: flags win over the environment, the environment over the file.
//!
//! One table, [`KNOWN`], names every setting; the environment writes them `CANARY_API_PORT`, the
//! file and the flags `api_port`.
//! `CANARYPY_` names are read where the `CANARY_` name is absent, so that a CanaryPy installation
//! moves over by changing the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::role::{Roles, RolesError};

/// Every setting of the server, without its prefix, with what it means.
pub const KNOWN: [(&str, &str); 15] = [
    ("api_host", "address to listen on"),
    ("api_port", "port to listen on, 0 for any free one"),
    ("api_log_level", "error, warn, info, debug or trace, or a filter"),
    ("db_conn_string", "database, for example sqlite://canary.db?mode=rwc"),
    ("db_user", "part of the database's address, with db_host"),
    ("db_password", "part of the database's address, with db_host"),
    ("db_host", "part of the database's address"),
    ("db_port", "part of the database's address, with db_host"),
    ("db_name", "part of the database's address, with db_host"),
    ("db_pool_size", "connections that read, 1 to 100"),
    ("db_acquire_timeout_s", "seconds that one waits for a connection, 1 to 300"),
    ("db_statement_timeout_s", "seconds that one statement may take on PostgreSQL, 5 to 3600"),
    ("insecure", "true to serve without keys on any address, else on loopback only"),
    ("role", "all, or what this server does of api, ingest, web and engine, with commas between"),
    ("readings_retention_days", "days that readings are kept, for ever if absent; summaries stay"),
];

/// Most days that readings can be kept for a time: a hundred years.
const MOST_DAYS: u16 = 36_500;

/// Settings of the clients, and of CanaryPy's own server, that may stand beside these; they are
/// passed over.
const OF_OTHERS: [&str; 4] = ["url", "token", "api_reload", "api_debug"];

/// What the tests of this project are told begins so, and is passed over.
const OF_TESTS: &str = "test_";

mod database;
mod pool;

pub use self::database::{DatabaseUrl, DatabaseUrlError};
pub use self::pool::Pool;

/// Where settings come from; all of it is passed in.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Names without prefix, as `api_port`, and values.
    pub flags: Vec<(String, String)>,
    /// The environment, or the part of it that matters.
    pub environment: Vec<(String, String)>,
    /// The file, usually `canary.toml`.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// The environment of this process, and `canary.toml` in the working directory if it exists.
    #[must_use]
    pub fn of_this_process() -> Self {
        let file = Path::new("canary.toml");
        Self {
            flags: Vec::new(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .filter(|(name, _)| name.starts_with("CANARY"))
                .collect(),
            file: file.exists().then(|| file.to_owned()),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No such setting.
    #[error("unknown setting `{name}` in {source_name}, did you mean `{nearest}`?")]
    Unknown {
        /// As it was written.
        name: String,
        /// Where it was found.
        source_name: String,
        /// The nearest known name, written the same way.
        nearest: String,
    },
    /// A value that does not fit.
    #[error("setting `{name}` is `{value}`, {expected}")]
    BadValue {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would fit.
        expected: &'static str,
    },
    /// The file cannot be read, or is no TOML.
    #[error("cannot read settings from `{path}`: {cause}")]
    BadFile {
        /// The file.
        path: String,
        /// What is wrong.
        cause: String,
    },
}

/// What a server needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Level or filter of the log.
    pub log_level: String,
    /// Where everything is kept.
    pub database: DatabaseUrl,
    /// How it is connected to.
    pub pool: Pool,
    /// Days that readings are kept; for ever if `None`. Their summaries by the hour always stay.
    pub readings_retention_days: Option<u16>,
    /// Whether to serve on any address as long as no key exists: everybody who reaches it may do
    /// everything. Once a key exists it changes nothing.
    pub insecure: bool,
    /// Which part of the work it does; on a file, nothing but pages can be in another process.
    pub roles: Roles,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            log_level: "info".to_owned(),
            database: DatabaseUrl::new("sqlite://canary.db?mode=rwc"),
            pool: Pool::default(),
            readings_retention_days: None,
            insecure: false,
            roles: Roles::ALL,
        }
    }
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for an unknown name, a value that does not fit, or an unreadable file.
    pub fn load(sources: &Sources) -> Result<Self, SettingsError> {
        let mut values = gather(sources)?;
        let defaults = Self::default();
        let port = match values.get("api_port") {
            None => defaults.port,
            Some(text) => port(text)?,
        };
        let retention = match values.get("readings_retention_days") {
            None => None,
            Some(text) => Some(retention(text)?),
        };
        let insecure = match values.get("insecure") {
            None => defaults.insecure,
            Some(text) => yes_or_no("insecure", text)?,
        };
        let database = database::read(&values)?.unwrap_or(defaults.database);
        let roles = match values.get("role") {
            None => defaults.roles,
            Some(text) => roles(text, &database)?,
        };
        let pool = Pool::read(&values)?;
        Ok(Self {
            host: values.remove("api_host").unwrap_or(defaults.host),
            port,
            log_level: values.remove("api_log_level").unwrap_or(defaults.log_level),
            database,
            pool,
            readings_retention_days: retention,
            insecure,
            roles,
        })
    }

    /// For how many seconds readings are kept.
    pub(crate) fn readings_retention_s(&self) -> Option<u32> {
        self.readings_retention_days.map(|days| u32::from(days) * 86_400)
    }
}

/// What was given, flags over the environment over the file.
fn gather(sources: &Sources) -> Result<Values, SettingsError> {
    let mut values = Values::new();
    if let Some(path) = &sources.file {
        values.extend(read_file(path)?);
    }
    values.extend(read_environment(&sources.environment, "CANARYPY_")?);
    values.extend(read_environment(&sources.environment, "CANARY_")?);
    for (name, value) in &sources.flags {
        let known = known(name).ok_or_else(|| unknown(name, "the flags", ""))?;
        values.insert(known, value.clone());
    }
    Ok(values)
}

fn port(text: &str) -> Result<u16, SettingsError> {
    text.parse().map_err(|_| SettingsError::BadValue {
        name: "api_port",
        value: text.to_owned(),
        expected: "it must be a port from 0 to 65535",
    })
}

fn yes_or_no(name: &'static str, text: &str) -> Result<bool, SettingsError> {
    match text.to_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(SettingsError::BadValue {
            name,
            value: text.to_owned(),
            expected: "it must be true or false",
        }),
    }
}

fn roles(text: &str, database: &DatabaseUrl) -> Result<Roles, SettingsError> {
    let unfit =
        |expected| SettingsError::BadValue { name: "role", value: text.to_owned(), expected };
    let roles: Roles = text.parse().map_err(|RolesError| unfit(RolesError::EXPECTED))?;
    if !roles.fit_a_file() && !database.is_shared() {
        return Err(unfit(
            "on a file it must be all, api,ingest,engine, or web: parts run apart on PostgreSQL only",
        ));
    }
    Ok(roles)
}

fn retention(text: &str) -> Result<u16, SettingsError> {
    text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days)).ok_or_else(|| {
        SettingsError::BadValue {
            name: "readings_retention_days",
            value: text.to_owned(),
            expected: "it must be a whole number of days from 1 to 36500",
        }
    })
}

type Values = BTreeMap<&'static str, String>;

fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().map(|(known, _)| *known).find(|known| *known == name)
}

fn unknown(name: &str, source_name: &str, prefix: &str) -> SettingsError {
    let nearest = KNOWN
        .iter()
        .map(|(known, _)| *known)
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
        .unwrap_or_default();
    let (name, nearest) = if prefix.is_empty() {
        (name.to_owned(), nearest.to_owned())
    } else {
        (format!("{prefix}{}", name.to_uppercase()), format!("{prefix}{}", nearest.to_uppercase()))
    };
    SettingsError::Unknown { name, source_name: source_name.to_owned(), nearest }
}

fn read_environment(
    environment: &[(String, String)],
    prefix: &str,
) -> Result<Values, SettingsError> {
    let mut values = Values::new();
    for (name, value) in environment {
        let Some(name) = name.strip_prefix(prefix).map(str::to_lowercase) else { continue };
        match known(&name) {
            Some(known) => _ = values.insert(known, value.clone()),
            None if OF_OTHERS.contains(&name.as_str()) || name.starts_with(OF_TESTS) => {}
            None => return Err(unknown(&name, "the environment", prefix)),
        }
    }
    Ok(values)
}

fn read_file(path: &Path) -> Result<Values, SettingsError> {
    let bad = |cause: String| SettingsError::BadFile { path: path.display().to_string(), cause };
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
    let mut values = Values::new();
    for (name, value) in table {
        let Some(known) = known(&name) else {
            if OF_OTHERS.contains(&name.as_str()) {
                continue;
            }
            return Err(unknown(&name, &format!("`{}`", path.display()), ""));
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(word) => word.to_string(),
            _ => {
                return Err(bad(format!("`{name}` must be a text, a whole number, true or false")));
            }
        };
        values.insert(known, text);
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
