//! New organizations.

use canary_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _};

use serde_json::json;

use super::{Registry, organizations};
use crate::access::AccessError;
use crate::audit::{About, Action, Change, Origin};
use crate::migration::Lineage;
use crate::organization::{Organization, OrganizationId, OrganizationName};
use crate::store::entity::organization;
use crate::store::{Place, Store, StoreError};

impl Registry {
    /// Makes an organization: its tables first, so that whoever sees its row finds them.
    ///
    /// What is left of one that was half made is taken, unless it holds something: a new
    /// organization never sees what another one has stored.
    ///
    /// # Errors
    ///
    /// [`AccessError::OrganizationTaken`] if there is one with this name.
    pub(crate) async fn create_organization(
        &self,
        name: &OrganizationName,
        by: &Origin,
        now: Timestamp,
    ) -> Result<Organization, AccessError> {
        let change = self.begin().await?;
        let database = self.store.place().database();
        let place = Place::of(&database, name);
        let all = organizations(&change).await?;
        // Places differ where names do; that two organizations share one must never happen.
        let is_taken = |other: &Organization| {
            other.name == *name || Place::of(&database, &other.name) == place
        };
        if name.is_default() || all.iter().any(is_taken) {
            return Err(AccessError::OrganizationTaken(name.clone()));
        }
        make_tables(&place).await?;
        let id = OrganizationId::from_uuid(Uuid::from_bytes(self.identifiers.next(now)));
        let organization = Organization { id, name: name.clone(), created_at: now };
        organization::ActiveModel::from(&organization)
            .insert(&change)
            .await
            .map_err(StoreError::from)?;
        let made = Change::created(json!({"name": name.as_str()}));
        let entry = self.entry(now, Action::CreateOrganization, by, About::new(&id, name), made);
        // For the one who made it: what is new has nobody yet who could look.
        self.note(&change, OrganizationId::DEFAULT, &entry).await?;
        self.commit(change).await?;
        Ok(organization)
    }
}

async fn make_tables(place: &Place) -> Result<(), StoreError> {
    let store = Store::make(place).await?;
    let made = make_tables_in(&store).await;
    store.close().await?;
    made
}

async fn make_tables_in(store: &Store) -> Result<(), StoreError> {
    let occupied = || Err(StoreError::Occupied(store.place().to_string()));
    // The main file of another installation may have the name that this one would get.
    if store.has_common_tables().await? {
        return occupied();
    }
    let steps = store.schema_steps(Lineage::Org).await?;
    let applied = steps.iter().filter(|step| step.is_applied).count();
    if applied == 0 {
        return store.upgrade_all().await.map(drop);
    }
    if applied < steps.len() || store.is_used().await? {
        return occupied();
    }
    Ok(())
}

impl Store {
    /// Whether the tables of an organization hold something: all that is stored belongs to a
    /// product, a series or a type, answers a request, or tells who did something.
    async fn is_used(&self) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT 1 AS used FROM product UNION ALL SELECT 1 FROM reading_series \
            UNION ALL SELECT 1 FROM idempotency UNION ALL SELECT 1 FROM audit \
            UNION ALL SELECT 1 FROM reading_type WHERE id > 1 LIMIT 1";
        let statement = self.dialect().plain(SQL, []);
        Ok(self.writer().query_one_raw(statement).await?.is_some())
    }
}
