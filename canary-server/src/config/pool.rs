//! How the database is connected to.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{SettingsError, Values};

/// Connections to a database, and how long they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// How many connections read at the same time, for each organization; one more writes.
    pub size: u32,
    /// How long one waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take on PostgreSQL; those of a commit have at least a minute, and
    /// changes of the schema all the time they need. SQLite has no such limit.
    pub statement_timeout: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            size: 3,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

impl Pool {
    pub(super) fn read(values: &Values) -> Result<Self, SettingsError> {
        let mut pool = Self::default();
        let expected = "it must be a whole number of connections from 1 to 100";
        if let Some(size) = number(values, "db_pool_size", 1..=100, expected)? {
            pool.size = size;
        }
        let expected = "it must be a whole number of seconds from 1 to 300";
        if let Some(seconds) = number(values, "db_acquire_timeout_s", 1..=300, expected)? {
            pool.acquire_timeout = Duration::from_secs(seconds);
        }
        let expected = "it must be a whole number of seconds from 5 to 3600";
        if let Some(seconds) = number(values, "db_statement_timeout_s", 5..=3600, expected)? {
            pool.statement_timeout = Duration::from_secs(seconds);
        }
        Ok(pool)
    }
}

/// A number within limits, which `expected` tells.
fn number<T: FromStr + PartialOrd>(
    values: &Values,
    name: &'static str,
    limits: RangeInclusive<T>,
    expected: &'static str,
) -> Result<Option<T>, SettingsError> {
    let Some(text) = values.get(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| limits.contains(number));
    let bad = || SettingsError::BadValue { name, value: text.clone(), expected };
    Ok(Some(number.ok_or_else(bad)?))
}
