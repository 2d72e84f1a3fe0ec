//! Entries of the audit, in two tables with the same columns: `audit` among the tables of an
//! organization, `registry_audit` beside organizations and keys, with the organization of each.

use std::sync::Arc;

use canary_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Statement, Value};

use super::backend::Dialect;
use super::{Registry, Store, StoreError};
use crate::access::Holder;
use crate::audit::{About, Actor, Change, Entry, Filter, Origin, Position};
use crate::key::KeyId;
use crate::organization::OrganizationId;

/// The columns of both tables.
const COLUMNS: &str = "id, at, action, actor, key_id, key_name, key_prefix, user_name, \
    remote_address, request_id, about_id, about_name, reason, state_before, state_after";

impl Store {
    /// Entries, newest first, at most `limit` of them after the given place.
    pub(crate) async fn audit(
        &self,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        select(self, Wanted::new("audit", filter, after), limit).await
    }
}

impl Registry {
    /// Entries about the keys of an organization, and about organizations for the one who made them.
    pub(crate) async fn audit(
        &self,
        organization: OrganizationId,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut wanted = Wanted::new("registry_audit", filter, after);
        wanted.only("organization_id = ?", [organization.as_uuid().into()]);
        select(&self.store, wanted, limit).await
    }

    /// Notes an entry in the transaction of its change.
    pub(super) async fn note(
        &self,
        change: &DatabaseTransaction,
        organization: OrganizationId,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let mut values = Vec::from(values(entry));
        values.push(organization.as_uuid().into());
        let columns = format!("{COLUMNS}, organization_id");
        let statement = insert_into(self.store.dialect(), "registry_audit", &columns, values);
        change.execute_raw(statement).await?;
        Ok(())
    }
}

/// Inserts an entry of an organization.
pub(super) fn insert(dialect: Dialect, entry: &Entry) -> Statement {
    insert_into(dialect, "audit", COLUMNS, values(entry).into())
}

fn insert_into(dialect: Dialect, table: &str, columns: &str, values: Vec<Value>) -> Statement {
    let places = vec!["?"; values.len()].join(", ");
    dialect.plain(&format!("INSERT INTO {table} ({columns}) VALUES ({places})"), values)
}

/// In the order of [`COLUMNS`].
fn values(entry: &Entry) -> [Value; 15] {
    let Entry { id, at, action, origin, about, change } = entry;
    let Origin { actor, remote_address, request_id } = origin;
    let (word, holder, user) = match actor {
        Actor::Anybody => ("anybody", None, None),
        Actor::Holder(holder) => ("key", Some(holder), None),
        Actor::CommandLine { user } => ("command_line", None, user.clone()),
    };
    let text = |json: &Option<serde_json::Value>| json.as_ref().map(ToString::to_string);
    [
        (*id).into(),
        at.as_micros().into(),
        action.to_string().into(),
        word.into(),
        holder.map(|holder| holder.key.as_uuid()).into(),
        holder.map(|holder| holder.name.to_string()).into(),
        holder.map(|holder| holder.prefix.to_string()).into(),
        user.into(),
        remote_address.map(|address| address.to_string()).into(),
        request_id.clone().into(),
        about.id.clone().into(),
        about.name.clone().into(),
        change.reason.clone().into(),
        text(&change.before).into(),
        text(&change.after).into(),
    ]
}

/// A question for entries.
struct Wanted {
    table: &'static str,
    conditions: Vec<&'static str>,
    values: Vec<Value>,
}

impl Wanted {
    fn new(table: &'static str, filter: &Filter, after: Option<Position>) -> Self {
        let Filter { since, until, action, key, about } = filter;
        let mut wanted = Self { table, conditions: Vec::new(), values: Vec::new() };
        if let Some(since) = since {
            wanted.only("at >= ?", [since.as_micros().into()]);
        }
        if let Some(until) = until {
            wanted.only("at < ?", [until.as_micros().into()]);
        }
        if let Some(action) = action {
            wanted.only("action = ?", [action.as_str().into()]);
        }
        if let Some(key) = key {
            wanted.only("key_id = ?", [key.as_uuid().into()]);
        }
        if let Some(about) = about {
            wanted.only("about_id = ?", [about.clone().into()]);
        }
        if let Some(Position { at, id }) = after {
            wanted.only("(at, id) < (?, ?)", [at.as_micros().into(), id.into()]);
        }
        wanted
    }

    fn only<const N: usize>(&mut self, condition: &'static str, values: [Value; N]) {
        self.conditions.push(condition);
        self.values.extend(values);
    }
}

async fn select(store: &Store, wanted: Wanted, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let Wanted { table, conditions, mut values } = wanted;
    let only = if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    };
    let sql = format!("SELECT {COLUMNS} FROM {table}{only} ORDER BY at DESC, id DESC LIMIT ?");
    values.push((limit as i64).into());
    let rows = store.readers().query_all_raw(store.dialect().plain(&sql, values)).await?;
    rows.iter().map(|row| read(table, row)).collect()
}

fn read(table: &'static str, row: &QueryResult) -> Result<Entry, StoreError> {
    let id: Uuid = row.try_get("", "id")?;
    let corrupt = |column| StoreError::corrupt(table, column, id);
    let text = |column| row.try_get::<Option<String>>("", column);
    let json = |column| {
        let json = text(column)?.map(|json| serde_json::from_str(&json)).transpose();
        json.map_err(|_| corrupt(column))
    };
    let address = text("remote_address")?.map(|address| address.parse()).transpose();
    let origin = Origin {
        actor: actor(row)?.ok_or_else(|| corrupt("actor"))?,
        remote_address: address.map_err(|_| corrupt("remote_address"))?,
        request_id: text("request_id")?,
    };
    let (before, after) = (json("state_before")?, json("state_after")?);
    Ok(Entry {
        id,
        at: Timestamp::from_micros(row.try_get("", "at")?),
        action: row.try_get::<String>("", "action")?.into(),
        origin,
        about: About { id: row.try_get("", "about_id")?, name: row.try_get("", "about_name")? },
        change: Change { before, after, reason: text("reason")? },
    })
}

fn actor(row: &QueryResult) -> Result<Option<Actor>, StoreError> {
    let word: String = row.try_get("", "actor")?;
    Ok(match word.as_str() {
        "anybody" => Some(Actor::Anybody),
        "key" => Some(Actor::Holder(Arc::new(Holder {
            key: KeyId::from_uuid(row.try_get("", "key_id")?),
            name: row.try_get::<String>("", "key_name")?.into(),
            prefix: row.try_get::<String>("", "key_prefix")?.into(),
        }))),
        "command_line" => Some(Actor::CommandLine { user: row.try_get("", "user_name")? }),
        _ => None,
    })
}
