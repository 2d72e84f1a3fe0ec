//! The schema, step by step; steps are only ever added.
//!
//! They form the lineage `org`: the tables that every organization has.

mod org;

use sea_orm_migration::prelude::*;
use sea_orm_migration::{MigrationStatus, MigratorTrait};

use crate::config::Settings;
use crate::store::{Store, StoreError};

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
    pub(crate) async fn upgrade(&self) -> Result<Vec<String>, StoreError> {
        let steps = self.schema_steps().await?;
        let missing = steps.into_iter().filter(|step| !step.is_applied).map(|step| step.name);
        let missing: Vec<String> = missing.collect();
        Org::up(self.writer(), None).await.map_err(StoreError::schema)?;
        Ok(missing)
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
