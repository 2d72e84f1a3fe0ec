//! Keys: made, shown, replaced, revoked.

use std::time::Duration;

use canary_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use serde_json::{Value, json};

use super::{Registry, StoredKey, has_keys};
use crate::access::{AccessError, Scope, Secret};
use crate::api::moment;
use crate::audit::{About, Action, Change, Origin};
use crate::key::{CreatedKey, Key, KeyId, KeyName, NewKey, Rotation};
use crate::organization::OrganizationId;
use crate::store::StoreError;
use crate::store::entity::access_key::{ActiveModel, Column, Entity};

impl Registry {
    /// The keys of an organization, in the order of their making.
    pub(crate) async fn keys(&self, organization: OrganizationId) -> Result<Vec<Key>, StoreError> {
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(organization.as_uuid()))
            .order_by_asc(Column::Id)
            .all(self.store.readers())
            .await?;
        rows.into_iter().map(|row| Ok(StoredKey::try_from(row)?.key)).collect()
    }

    /// Makes a key. With `must_be_first`, only if there never was one: the request came in through
    /// a door that the first key has closed.
    pub(crate) async fn create_key(
        &self,
        organization: OrganizationId,
        new: NewKey,
        must_be_first: bool,
        by: &Origin,
        now: Timestamp,
    ) -> Result<CreatedKey, AccessError> {
        if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(AccessError::ExpiresInThePast);
        }
        let change = self.begin().await?;
        if must_be_first && has_keys(&change).await? {
            return Err(AccessError::NotTheFirst);
        }
        self.refuse_taken(&change, organization, &new.name).await?;
        let created = self.insert(&change, organization, new, now).await?;
        let about = About::new(&created.key.id, &created.key.name);
        let made = Change::created(shown(&created.key));
        let entry = self.entry(now, Action::CreateKey, by, about, made);
        self.note(&change, organization, &entry).await?;
        self.commit(change).await?;
        Ok(created)
    }

    /// Puts a new key in the place of another, which expires a while later.
    pub(crate) async fn rotate_key(
        &self,
        organization: OrganizationId,
        id: KeyId,
        rotation: Rotation,
        by: &Origin,
        now: Timestamp,
    ) -> Result<CreatedKey, AccessError> {
        rotation.check(now)?;
        let change = self.begin().await?;
        let old = find(&change, organization, id).await?;
        refuse_unfit(&old, now)?;
        let name = old.name.clone();
        let expires_at = rotation.expires_at.or_else(|| same_lifetime(&old, now));
        let successor = KeyId::from_uuid(Uuid::from_bytes(self.identifiers.next(now)));
        let end = now.after(rotation.overlap);
        let end = old.expires_at.map_or(end, |expires_at| expires_at.min(end));
        // The name is taken until the row says that it was replaced.
        let replaced = ActiveModel {
            id: Set(id.as_uuid()),
            expires_at: Set(Some(end.as_micros())),
            replaced_by: Set(Some(successor.as_uuid())),
            ..Default::default()
        };
        replaced.update(&change).await.map_err(StoreError::from)?;
        let new = NewKey { name, scopes: old.scopes, expires_at };
        let created = self.insert_as(&change, successor, organization, new, now).await?;
        let about = About::new(&id, &created.key.name);
        let made = rotated(old.expires_at, end, &created.key);
        let entry = self.entry(now, Action::RotateKey, by, about, made);
        self.note(&change, organization, &entry).await?;
        self.commit(change).await?;
        Ok(created)
    }

    /// Revokes a key; one that is revoked already stays as it is.
    pub(crate) async fn revoke_key(
        &self,
        organization: OrganizationId,
        id: KeyId,
        by: &Origin,
        now: Timestamp,
    ) -> Result<(), AccessError> {
        let change = self.begin().await?;
        let key = find(&change, organization, id).await?;
        if key.revoked_at.is_some() {
            return Ok(change.rollback().await.map_err(StoreError::from)?);
        }
        let revoked = ActiveModel {
            id: Set(id.as_uuid()),
            revoked_at: Set(Some(now.as_micros())),
            ..Default::default()
        };
        revoked.update(&change).await.map_err(StoreError::from)?;
        let (before, after) =
            (json!({"revoked_at": null}), json!({"revoked_at": moment::show(now)}));
        let (about, made) = (About::new(&id, &key.name), Change::of(Some(before), after));
        let entry = self.entry(now, Action::RevokeKey, by, about, made);
        self.note(&change, organization, &entry).await?;
        Ok(self.commit(change).await?)
    }

    async fn refuse_taken(
        &self,
        change: &DatabaseTransaction,
        organization: OrganizationId,
        name: &KeyName,
    ) -> Result<(), AccessError> {
        let taken = Entity::find()
            .filter(Column::OrganizationId.eq(organization.as_uuid()))
            .filter(Column::Name.eq(name.as_str()))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ReplacedBy.is_null())
            .one(change)
            .await
            .map_err(StoreError::from)?;
        match taken {
            None => Ok(()),
            Some(_) => Err(AccessError::KeyNameTaken(name.clone())),
        }
    }

    async fn insert(
        &self,
        change: &DatabaseTransaction,
        organization: OrganizationId,
        new: NewKey,
        now: Timestamp,
    ) -> Result<CreatedKey, AccessError> {
        let id = KeyId::from_uuid(Uuid::from_bytes(self.identifiers.next(now)));
        self.insert_as(change, id, organization, new, now).await
    }

    async fn insert_as(
        &self,
        change: &DatabaseTransaction,
        id: KeyId,
        organization: OrganizationId,
        new: NewKey,
        now: Timestamp,
    ) -> Result<CreatedKey, AccessError> {
        let secret = unused_secret(change).await?;
        let NewKey { name, scopes, expires_at } = new;
        let prefix = secret.prefix().to_owned();
        let key = Key {
            id,
            name,
            scopes,
            prefix,
            created_at: now,
            expires_at,
            revoked_at: None,
            replaced_by: None,
        };
        let stored = StoredKey { key, organization, hash: secret.hash() };
        ActiveModel::from(&stored).insert(change).await.map_err(StoreError::from)?;
        Ok(CreatedKey { key: stored.key, secret })
    }
}

/// A key as the audit tells of it: nothing that opens a door.
fn shown(key: &Key) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
    let expires_at = key.expires_at.map(moment::show);
    let name = key.name.as_str();
    json!({"name": name, "scopes": scopes, "prefix": key.prefix, "expires_at": expires_at})
}

/// What a rotation does: the old key gets an end, and another one takes its place.
fn rotated(before: Option<Timestamp>, end: Timestamp, successor: &Key) -> Change {
    let before = json!({"expires_at": before.map(moment::show), "replaced_by": null});
    let after = json!({
        "expires_at": moment::show(end),
        "replaced_by": successor.id.to_string(),
        "successor": shown(successor),
    });
    Change::of(Some(before), after)
}

/// A key whose prefix no other has, those of all organizations and of all times.
async fn unused_secret(change: &DatabaseTransaction) -> Result<Secret, AccessError> {
    loop {
        let secret = Secret::generate().map_err(AccessError::Random)?;
        let same = Entity::find().filter(Column::Prefix.eq(secret.prefix())).limit(1);
        if same.one(change).await.map_err(StoreError::from)?.is_none() {
            return Ok(secret);
        }
    }
}

async fn find(
    change: &DatabaseTransaction,
    organization: OrganizationId,
    id: KeyId,
) -> Result<Key, AccessError> {
    let row = Entity::find_by_id(id.as_uuid())
        // That of another organization does not exist for this one.
        .filter(Column::OrganizationId.eq(organization.as_uuid()))
        .one(change)
        .await
        .map_err(StoreError::from)?;
    let stored = row.map(StoredKey::try_from).transpose()?;
    stored.map(|stored| stored.key).ok_or(AccessError::UnknownKey(id))
}

/// Refuses to replace a key that does not open anything any more, or was replaced.
fn refuse_unfit(key: &Key, now: Timestamp) -> Result<(), AccessError> {
    if key.revoked_at.is_some() {
        return Err(AccessError::Revoked(key.id));
    }
    if let Some(by) = key.replaced_by {
        return Err(AccessError::Replaced { id: key.id, by });
    }
    if key.has_expired(now) {
        return Err(AccessError::Expired(key.id));
    }
    Ok(())
}

/// A key that was made for a time is replaced by one for the same time.
fn same_lifetime(key: &Key, now: Timestamp) -> Option<Timestamp> {
    let lifetime: Duration = key.expires_at?.since(key.created_at);
    Some(now.after(lifetime))
}
