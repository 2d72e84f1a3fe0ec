//! Keys as people and programs see them.

use canary_core::time::Timestamp;
use canary_server::key::{CreatedKey, Key};
use canary_server::organization::OrganizationName;
use canary_server::{Scope, Scopes};
use serde::Serialize;

use crate::command::time;
use crate::output;

/// A key, with the names of the API.
#[derive(Serialize)]
pub(super) struct KeyLine {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    prefix: String,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    replaced_by: Option<String>,
}

impl From<&Key> for KeyLine {
    fn from(key: &Key) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: words(key.scopes),
            prefix: key.prefix.clone(),
            created_at: moment(key.created_at),
            expires_at: key.expires_at.map(moment),
            revoked_at: key.revoked_at.map(moment),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
        }
    }
}

/// A key that was made, with the names of the API.
#[derive(Serialize)]
pub(super) struct CreatedLine<'a> {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    prefix: String,
    key: &'a str,
    created_at: String,
    expires_at: Option<String>,
}

impl<'a> From<&'a CreatedKey> for CreatedLine<'a> {
    fn from(created: &'a CreatedKey) -> Self {
        let KeyLine { id, name, scopes, prefix, created_at, expires_at, .. } =
            (&created.key).into();
        let key = created.secret.reveal();
        Self { id, name, scopes, prefix, key, created_at, expires_at }
    }
}

fn words(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::as_str).collect()
}

fn moment(at: Timestamp) -> String {
    time::rfc_3339_micros(at.as_micros())
}

fn to_the_second(at: Timestamp) -> String {
    time::to_the_second(&moment(at))
}

/// What its holder sees of a key at a glance, and nobody can use.
pub(super) fn prefix_of(key: &Key) -> String {
    format!("canary_{}", key.prefix)
}

/// What became of a key.
pub(super) fn state(key: &Key, now: Timestamp) -> &'static str {
    match key {
        Key { revoked_at: Some(_), .. } => "revoked",
        key if key.has_expired(now) => "expired",
        Key { replaced_by: Some(_), .. } => "replaced",
        _ => "in force",
    }
}

pub(super) fn table(keys: &[Key], now: Timestamp) -> String {
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    let row = |key: &Key| {
        vec![
            key.name.to_string(),
            prefix_of(key),
            key.scopes.to_string(),
            state(key, now).to_owned(),
            to_the_second(key.created_at),
            output::or_dash(key.expires_at.map(to_the_second)),
            key.id.to_string(),
        ]
    };
    let names = ["NAME", "PREFIX", "SCOPES", "STATE", "CREATED", "EXPIRES", "ID"];
    output::columns(&names, &[], keys.iter().map(row))
}

/// Beside a key that was made.
pub(super) fn note_of_created(key: &Key, organization: &OrganizationName) -> String {
    let Key { name, scopes, .. } = key;
    let end = key.expires_at.map(|end| format!(", until {}", to_the_second(end)));
    let end = end.unwrap_or_default();
    format!(
        "note: this is the key `{name}` of the organization `{organization}` ({scopes}{end}); keep it \
        now, it is not shown again"
    )
}

/// Beside the first key of all.
pub(super) fn warning_of_first(key: &Key) -> String {
    let first = "warning: it is the first key, and from now on everybody needs one: CANARY_TOKEN \
        or --token takes it";
    if key.scopes.allow(Scope::Admin) {
        return first.to_owned();
    }
    format!("{first}; no key has the scope `admin`, so that more are made with this command alone")
}

/// Beside a key that was put in the place of another.
pub(super) fn note_of_replaced(old: &Key, now: Timestamp) -> String {
    let (prefix, end) = (prefix_of(old), old.expires_at.filter(|end| *end > now));
    match end {
        Some(end) => {
            format!("note: the old one, {prefix}, opens what it did until {}", to_the_second(end))
        }
        None => format!("note: the old one, {prefix}, opens nothing any more"),
    }
}

pub(super) fn revoked(key: &Key) -> String {
    let at = output::or_dash(key.revoked_at.map(to_the_second));
    format!("revoked `{}`, {}, at {at}; servers know it within a second", key.name, prefix_of(key))
}

#[cfg(test)]
mod tests {
    use canary_server::key::{KeyId, KeyName};

    use super::*;

    fn key(name: &str, scopes: &[&str]) -> Key {
        Key {
            id: KeyId::parse("01899999-0000-7000-8000-000000000001").unwrap(),
            name: KeyName::parse(name).unwrap(),
            scopes: Scopes::parse(scopes.iter().copied()).unwrap(),
            prefix: "ab12cd34".to_owned(),
            created_at: Timestamp::from_micros(1_699_999_000_000_001),
            expires_at: None,
            revoked_at: None,
            replaced_by: None,
        }
    }

    #[test]
    fn keys_are_listed_with_what_became_of_them() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let later = Timestamp::from_seconds(1_700_000_060);
        let (operator, worker) = (key("operator", &["admin"]), key("worker", &["signal", "read"]));
        let replaced_by = Some(operator.id);
        let replaced = Key { expires_at: Some(later), replaced_by, ..worker.clone() };
        let expired = Key { expires_at: Some(now), ..replaced.clone() };
        let revoked = Key { revoked_at: Some(now), ..expired.clone() };
        let keys = [operator, worker, replaced, expired, revoked];
        insta::assert_snapshot!("table", table(&keys, now));
        assert_eq!(table(&[], now), "no keys");
        assert_eq!(
            note_of_replaced(&keys[2], now),
            "note: the old one, canary_ab12cd34, opens what it did until 2023-11-14T22:14:20Z"
        );
        assert_eq!(
            note_of_replaced(&keys[3], now),
            "note: the old one, canary_ab12cd34, opens nothing any more"
        );
    }

    #[test]
    fn who_makes_the_first_key_is_warned() {
        let admin = warning_of_first(&key("operator", &["admin"]));
        assert!(admin.contains("everybody needs one") && !admin.contains("`admin`"), "{admin}");
        let reader = warning_of_first(&key("reader", &["read"]));
        assert!(reader.starts_with(&admin) && reader.contains("no key has the scope `admin`"));
    }

    #[test]
    fn programs_see_the_names_of_the_api() {
        let line = serde_json::to_value(KeyLine::from(&key("worker", &["read", "signal"])));
        let want = serde_json::json!({
            "id": "01899999-0000-7000-8000-000000000001",
            "name": "worker",
            "scopes": ["read", "signal"],
            "prefix": "ab12cd34",
            "created_at": "2023-11-14T21:56:40.000001Z",
            "expires_at": null,
            "revoked_at": null,
            "replaced_by": null,
        });
        assert_eq!(line.unwrap(), want);
    }
}
