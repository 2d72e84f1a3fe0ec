//! The schema, step by step; steps are only ever added.
//!
//! They form the lineage `org`: the tables that every organization has.

mod org;

use sea_orm::ConnectionTrait as _;
use sea_orm_migration::prelude::*;
use sea_orm_migration::{MigrationStatus, MigratorTrait};

use crate::config::Settings;
use crate::store::{Dialect, Store, StoreError};

/// The lineage of an organization's tables.
pub(crate) struct Org;

impl MigratorTrait for Org {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        org::steps()
    }

    fn migration_table_name() -> DynIden {
        "org_migration".into_iden()
    }
}

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, which is also its place in the order.
    pub name: String,
    /// Whether the database has it.
    pub is_applied: bool,
}

/// Brings the database to the newest schema; the names of the steps that were missing.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be reached, or is newer than this program.
pub async fn upgrade(settings: &Settings) -> Result<Vec<String>, StoreError> {
    let store = Store::connect(&settings.database).await?;
    let applied = store.upgrade().await?;
    store.close().await?;
    Ok(applied)
}

/// The steps of the schema, and which of them the database has.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be reached, or is newer than this program.
pub async fn status(settings: &Settings) -> Result<Vec<Step>, StoreError> {
    let store = Store::connect(&settings.database).await?;
    let steps = store.schema_steps().await?;
    store.close().await?;
    Ok(steps)
}

impl Store {
    /// The steps of the schema, and which of them the database has.
    pub(crate) async fn schema_steps(&self) -> Result<Vec<Step>, StoreError> {
        let migrations = Org::get_migration_with_status_read_only(self.writer())
            .await
            .map_err(StoreError::schema)?;
        let step = |migration: &sea_orm_migration::Migration| Step {
            name: migration.name().to_owned(),
            is_applied: migration.status() == MigrationStatus::Applied,
        };
        Ok(migrations.iter().map(step).collect())
    }

    /// Applies the steps that are missing; their names.
    ///
    /// Of several who do that at once each waits for the one before.
    pub(crate) async fn upgrade(&self) -> Result<Vec<String>, StoreError> {
        self.lock_schema().await?;
        let applied = self.apply_missing().await;
        self.unlock_schema().await?;
        applied
    }

    /// Makes the schema fit for serving; the names of the steps that were applied.
    ///
    /// A file is brought up to date, and so is an empty database. A PostgreSQL that other servers
    /// may use is not: its owner says when.
    ///
    /// # Errors
    ///
    /// [`StoreError::OldSchema`] then, [`StoreError::Schema`] if it is newer than this program.
    pub(crate) async fn prepare_schema(&self) -> Result<Vec<String>, StoreError> {
        self.lock_schema().await?;
        let applied = self.apply_where_nobody_else_may_serve().await;
        self.unlock_schema().await?;
        applied
    }

    async fn apply_where_nobody_else_may_serve(&self) -> Result<Vec<String>, StoreError> {
        let steps = self.schema_steps().await?;
        let is_empty = steps.iter().all(|step| !step.is_applied);
        if self.dialect() == Dialect::Sqlite || is_empty {
            return self.apply_missing().await;
        }
        let missing = steps.into_iter().filter(|step| !step.is_applied).map(|step| step.name);
        let missing: Vec<String> = missing.collect();
        if missing.is_empty() { Ok(missing) } else { Err(StoreError::OldSchema { missing }) }
    }

    async fn apply_missing(&self) -> Result<Vec<String>, StoreError> {
        let steps = self.schema_steps().await?;
        let missing = steps.into_iter().filter(|step| !step.is_applied).map(|step| step.name);
        let missing: Vec<String> = missing.collect();
        Org::up(self.writer(), None).await.map_err(StoreError::schema)?;
        Ok(missing)
    }

    /// Waits until nobody else changes the schema; there is one connection that writes, so the lock
    /// is held by the one that changes it.
    async fn lock_schema(&self) -> Result<(), StoreError> {
        if let Some(statement) = self.dialect().lock_schema() {
            self.writer().execute_raw(statement).await?;
        }
        Ok(())
    }

    async fn unlock_schema(&self) -> Result<(), StoreError> {
        if let Some(statement) = self.dialect().unlock_schema() {
            self.writer().execute_raw(statement).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DatabaseUrl;

    /// Every table and index, as SQLite tells of them.
    async fn schema(store: &Store) -> Vec<String> {
        use sea_orm::{ConnectionTrait, DbBackend, Statement};
        let sql = "SELECT sql FROM sqlite_master \
            WHERE sql IS NOT NULL AND name <> 'sqlite_sequence' ORDER BY name";
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let rows = store.writer().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", "sql").unwrap()).collect()
    }

    #[tokio::test]
    async fn up_down_up_ends_where_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("canary.db").display());
        let store = Store::connect(&DatabaseUrl::new(url)).await.unwrap();

        let applied = store.upgrade().await.unwrap();
        assert_eq!(applied.len(), Org::migrations().len());
        let first = schema(&store).await;
        Org::down(store.writer(), None).await.unwrap();
        let bare = schema(&store).await;
        assert!(bare.iter().all(|sql| sql.contains("org_migration")), "left over: {bare:?}");
        assert_eq!(store.upgrade().await.unwrap(), applied);
        assert_eq!(schema(&store).await, first);
        assert_eq!(store.upgrade().await.unwrap(), Vec::<String>::new());
        store.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_schema_of_a_newer_program_is_refused() {
        use sea_orm::ConnectionTrait;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("canary.db").display());
        let store = Store::connect(&DatabaseUrl::new(url)).await.unwrap();
        store.upgrade().await.unwrap();
        let newer =
            "INSERT INTO org_migration (version, applied_at) VALUES ('m9999_from_the_future', 0)";
        store.writer().execute_unprepared(newer).await.unwrap();
        let error = store.upgrade().await.unwrap_err().to_string();
        assert!(error.contains("m9999_from_the_future"), "{error}");
        store.close().await.unwrap();
    }
}
