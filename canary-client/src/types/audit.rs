//! The audit: who did what, when, from where, and what it changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A change that somebody asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its identifier, a UUID.
    pub id: String,
    /// When it was done, in RFC 3339.
    pub at: String,
    /// What was done: `release.promote` and its like.
    pub action: String,
    /// Who did it.
    pub actor: AuditActor,
    /// The other end of the connection, an IP address; behind a proxy it is the proxy's. `None` from
    /// the command line.
    #[serde(default)]
    pub remote_address: Option<String>,
    /// The identifier of the request; `None` from the command line.
    #[serde(default)]
    pub request_id: Option<String>,
    /// What it was done to.
    pub about: AuditAbout,
    /// The reason that was given, if one was.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
}

impl AuditEntry {
    /// What was changed, as it was before, in JSON; `None` if it was created.
    #[must_use]
    pub fn before_json(&self) -> Option<String> {
        (!self.before.is_null()).then(|| self.before.to_string())
    }

    /// What was changed, as it is since, in JSON.
    #[must_use]
    pub fn after_json(&self) -> Option<String> {
        (!self.after.is_null()).then(|| self.after.to_string())
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditActor {
    /// `key`: the holder of a key; `anybody`: nobody in particular, as there was no key;
    /// `command_line`: somebody beside the database.
    pub kind: String,
    /// The identifier of the key.
    #[serde(default)]
    pub id: Option<String>,
    /// What the key was called.
    #[serde(default)]
    pub name: Option<String>,
    /// The 8 characters after `canary_` of the key.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The name that the operating system has for who was at the command line.
    #[serde(default)]
    pub user: Option<String>,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditAbout {
    /// `product`, `release`, `reading_type`, `key` or `organization`.
    pub kind: String,
    /// Its identifier; the name of a type of readings.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// Which entries are meant; the default is all of them. Of several settings each must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct AuditFilter {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) about: Option<String>,
}

impl AuditFilter {
    /// Only entries from then on, in RFC 3339.
    pub fn since(mut self, moment: impl Into<String>) -> Self {
        self.since = Some(moment.into());
        self
    }

    /// Only entries before then, in RFC 3339.
    pub fn until(mut self, moment: impl Into<String>) -> Self {
        self.until = Some(moment.into());
        self
    }

    /// Only entries of this action, for example `release.promote`.
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Only what was done with the key that has this id.
    pub fn key(mut self, id: impl Into<String>) -> Self {
        self.key = Some(id.into());
        self
    }

    /// Only what was done to the product, release, key or organization that has this id, or to the
    /// type of readings that has this name.
    pub fn about(mut self, id: impl Into<String>) -> Self {
        self.about = Some(id.into());
        self
    }
}
