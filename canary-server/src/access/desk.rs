//! The desk of one organization: where its keys are made, shown, replaced and revoked.
//!
//! What is done here is known to this server at once, and to all others within a second.

use std::sync::Arc;

use canary_core::time::Timestamp;
use tracing::{info, warn};

use super::{Access, AccessError, Scope};
use crate::audit::{Actor, Entry, Filter, Origin, Position};
use crate::key::{CreatedKey, Key, KeyId, NewKey, Rotation};
use crate::organization::{Organization, OrganizationId, OrganizationName};

/// The keys of one organization, and only those; organizations for the default one.
#[derive(Clone)]
pub(crate) struct Desk {
    access: Arc<Access>,
    organization: OrganizationId,
}

impl Desk {
    pub(crate) const fn of(organization: OrganizationId, access: Arc<Access>) -> Self {
        Self { access, organization }
    }

    /// Makes a key. Who has none can make the first one only.
    pub(crate) async fn create(
        &self,
        new: NewKey,
        by: &Origin,
        now: Timestamp,
    ) -> Result<CreatedKey, AccessError> {
        let must_be_first = by.actor == Actor::Anybody;
        if must_be_first && !new.scopes.contains(Scope::Admin) {
            return Err(AccessError::FirstIsNoAdmin);
        }
        let registry = self.access.registry();
        let created = registry.create_key(self.organization, new, must_be_first, by, now).await?;
        let Key { id, name, scopes, .. } = &created.key;
        info!(key.id = %id, key.name = %name, %scopes, by = %by.actor, "key made");
        self.show().await;
        Ok(created)
    }

    /// All keys, in the order of their making.
    pub(crate) async fn keys(&self) -> Result<Vec<Key>, AccessError> {
        Ok(self.access.registry().keys(self.organization).await?)
    }

    /// Puts a new key in the place of another.
    pub(crate) async fn rotate(
        &self,
        id: KeyId,
        rotation: Rotation,
        by: &Origin,
        now: Timestamp,
    ) -> Result<CreatedKey, AccessError> {
        let registry = self.access.registry();
        let created = registry.rotate_key(self.organization, id, rotation, by, now).await?;
        info!(key.id = %created.key.id, replaced.id = %id, by = %by.actor, "key replaced");
        self.show().await;
        Ok(created)
    }

    /// Revokes a key; an error if this server could not take note of it, to be tried again.
    pub(crate) async fn revoke(
        &self,
        id: KeyId,
        by: &Origin,
        now: Timestamp,
    ) -> Result<(), AccessError> {
        self.access.registry().revoke_key(self.organization, id, by, now).await?;
        info!(key.id = %id, by = %by.actor, "key revoked");
        Ok(self.access.refresh().await?)
    }

    /// Makes an organization.
    pub(crate) async fn create_organization(
        &self,
        name: &OrganizationName,
        by: &Origin,
        now: Timestamp,
    ) -> Result<Organization, AccessError> {
        let made = self.access.registry().create_organization(name, by, now).await?;
        info!(organization.id = %made.id, organization.name = %name, by = %by.actor, "organization made");
        self.show().await;
        Ok(made)
    }

    /// Every organization, in the order of their making.
    pub(crate) async fn organizations(&self) -> Result<Vec<Organization>, AccessError> {
        Ok(self.access.registry().organizations().await?)
    }

    /// Entries of the audit about these keys, newest first; about organizations for `default`.
    pub(crate) async fn audit(
        &self,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Entry>, AccessError> {
        let registry = self.access.registry();
        Ok(registry.audit(self.organization, filter, after, limit).await?)
    }

    /// Shows what was made. It is stored, and its secret must not be lost: that this server could
    /// not read it again is no reason to fail, it will a moment later.
    async fn show(&self) {
        if let Err(cause) = self.access.refresh().await {
            warn!(%cause, "what was made could not be read again, trying again in a second");
        }
    }
}
