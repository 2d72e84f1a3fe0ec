//! The registry: organizations and keys, in the tables that all organizations have in common.
//!
//! They are in the place of `default`. Every change takes the lock of one row first, so that
//! changes come one after another on all servers, and what was looked up stays true until the
//! commit; the number in that row tells everybody whether anything has changed.

mod keys;
mod organizations;

use canary_core::time::Timestamp;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};

use super::backend::Dialect;
use super::entity::{access_key, organization};
use super::news::lost;
use super::{Place, Store, StoreError};
use crate::access::{AccessError, Hash};
use crate::audit::{About, Action, Change, Entry, Origin};
use crate::config::Settings;
use crate::identify::Identifiers;
use crate::key::Key;
use crate::organization::{Organization, OrganizationId, OrganizationName};

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) key: Key,
    pub(crate) organization: OrganizationId,
    pub(crate) hash: Hash,
}

/// Everything that is to be known to let somebody in.
#[derive(Debug)]
pub(crate) struct Registered {
    /// Grows with every change.
    pub(crate) revision: i64,
    /// In the order of their making.
    pub(crate) organizations: Vec<Organization>,
    /// Those that were not revoked.
    pub(crate) keys: Vec<StoredKey>,
    /// Whether there ever was a key.
    pub(crate) has_keys: bool,
}

/// Organizations and keys.
pub(crate) struct Registry {
    pub(super) store: std::sync::Arc<Store>,
    identifiers: Identifiers,
}

impl Registry {
    /// That in the place of `default`, which this is.
    pub(crate) fn of(store: std::sync::Arc<Store>) -> Self {
        Self { store, identifiers: Identifiers::new() }
    }

    /// Opens that of a database, whose schema is brought up to date where it may be.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot be used, or its schema is not that of this program.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, AccessError> {
        let store = Store::connect(&Place::of_default(&settings.database)).await?;
        store.prepare_schema().await?;
        Ok(Self::of(store.into()))
    }

    /// Lets go of the database.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.store.close_shared().await
    }

    /// The number that grows with every change.
    pub(crate) async fn revision(&self) -> Result<i64, StoreError> {
        revision(self.store.readers()).await
    }

    /// Everything, as it is at one moment.
    pub(crate) async fn load(&self) -> Result<Registered, StoreError> {
        let view = self.store.view().await?;
        let revision = revision(&view).await?;
        let organizations = organizations(&view).await?;
        let is_valid = access_key::Column::RevokedAt.is_null();
        let rows = access_key::Entity::find().filter(is_valid).all(&view).await?;
        let keys = rows.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, _>>()?;
        let has_keys = has_keys(&view).await?;
        view.rollback().await?;
        Ok(Registered { revision, organizations, keys, has_keys })
    }

    /// Every organization, in the order of their making.
    pub(crate) async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        organizations(self.store.readers()).await
    }

    /// The organization with this name.
    pub(crate) async fn organization(
        &self,
        name: &OrganizationName,
    ) -> Result<OrganizationId, AccessError> {
        let organizations = self.organizations().await?;
        let found = organizations.into_iter().find(|organization| organization.name == *name);
        let unknown = || AccessError::UnknownOrganization(name.clone());
        found.map(|organization| organization.id).ok_or_else(unknown)
    }

    /// Listens to changes, those of this server too; nothing on SQLite.
    pub(crate) async fn listen(&self) -> Result<Option<RegistryListener>, StoreError> {
        let listener = self.store.listen_to(&self.channel()).await?;
        Ok(listener.map(RegistryListener))
    }

    fn channel(&self) -> String {
        self.store.place().channel("registry")
    }

    /// Begins a change: from here on nobody else changes anything.
    async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.store.writer().begin_with_options(options).await?;
        let sql = "UPDATE registry SET revision = revision + 1 WHERE id = 1";
        let locked = transaction.execute_raw(self.store.dialect().plain(sql, [])).await?;
        if locked.rows_affected() != 1 {
            return Err(lost_revision());
        }
        Ok(transaction)
    }

    /// An entry of the audit, to be noted in the transaction of its change.
    fn entry(
        &self,
        now: Timestamp,
        action: Action,
        by: &Origin,
        about: About,
        change: Change,
    ) -> Entry {
        Entry::new(self.identifiers.next(now), now, action, by, about, change)
    }

    /// Ends a change, and tells all servers of it.
    async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), StoreError> {
        let dialect = self.store.dialect();
        if dialect == Dialect::Postgres {
            transaction.execute_raw(dialect.tell(&self.channel(), "")).await?;
        }
        transaction.commit().await.map_err(|error| match error.into() {
            StoreError::Unavailable(_) => StoreError::OutcomeUnknown,
            other => other,
        })
    }
}

impl Store {
    /// How many keys there are, and how many organizations beside `default`.
    pub(crate) async fn count_common(&self) -> Result<(i64, i64), StoreError> {
        const SQL: &str = "SELECT (SELECT count(*) FROM access_key) AS keys, \
            (SELECT count(*) FROM organization WHERE name <> 'default') AS organizations";
        let row = self.writer().query_one_raw(self.dialect().plain(SQL, [])).await?;
        let row = row.ok_or_else(lost_revision)?;
        Ok((row.try_get("", "keys")?, row.try_get("", "organizations")?))
    }
}

/// One who hears that organizations or keys have changed.
pub(crate) struct RegistryListener(PgListener);

impl RegistryListener {
    /// Waits for a change, or until the connection is lost and there again, when there may have
    /// been some.
    pub(crate) async fn hear(&mut self) -> Result<(), StoreError> {
        self.0.try_recv().await.map(drop).map_err(lost)
    }
}

fn lost_revision() -> StoreError {
    StoreError::Corrupt { table: "registry", column: "revision", row: "1".to_owned() }
}

async fn revision(connection: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let statement = super::readings::dialect(connection)
        .plain("SELECT revision FROM registry WHERE id = 1", []);
    let row = connection.query_one_raw(statement).await?.ok_or_else(lost_revision)?;
    Ok(row.try_get("", "revision")?)
}

/// Every organization. `default` is one even if its row was lost.
async fn organizations(connection: &impl ConnectionTrait) -> Result<Vec<Organization>, StoreError> {
    let rows =
        organization::Entity::find().order_by_asc(organization::Column::Id).all(connection).await?;
    let mut organizations =
        rows.into_iter().map(TryInto::try_into).collect::<Result<Vec<Organization>, _>>()?;
    if organizations.iter().all(|organization| organization.id != OrganizationId::DEFAULT) {
        let created_at = Timestamp::from_seconds(0);
        let (id, name) = (OrganizationId::DEFAULT, OrganizationName::default_one());
        organizations.insert(0, Organization { id, name, created_at });
    }
    Ok(organizations)
}

/// Whether there ever was a key: rows of revoked ones stay.
async fn has_keys(connection: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let statement =
        super::readings::dialect(connection).plain("SELECT 1 FROM access_key LIMIT 1", []);
    Ok(connection.query_one_raw(statement).await?.is_some())
}
