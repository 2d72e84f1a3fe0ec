//! What is done to the steps of a lineage, in the place of one organization.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use sea_orm_migration::prelude::*;
use sea_orm_migration::{Migration, MigrationStatus, MigratorTrait};

use super::{Lineage, org, public};
use crate::store::{Dialect, Place, Store, StoreError};

/// What all organizations have in common.
struct Public;

impl MigratorTrait for Public {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        public::steps()
    }

    fn migration_table_name() -> DynIden {
        "public_migration".into_iden()
    }
}

/// What every organization has of its own.
struct Org;

impl MigratorTrait for Org {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        org::steps()
    }

    fn migration_table_name() -> DynIden {
        "org_migration".into_iden()
    }
}

impl Lineage {
    async fn with_status(self, writer: &DatabaseConnection) -> Result<Vec<Migration>, DbErr> {
        match self {
            Self::Public => Public::get_migration_with_status_read_only(writer).await,
            Self::Org => Org::get_migration_with_status_read_only(writer).await,
        }
    }

    async fn up(self, writer: &DatabaseConnection) -> Result<(), DbErr> {
        match self {
            Self::Public => Public::up(writer, None).await,
            Self::Org => Org::up(writer, None).await,
        }
    }

    async fn down(self, writer: &DatabaseConnection, steps: u32) -> Result<(), DbErr> {
        match self {
            Self::Public => Public::down(writer, Some(steps)).await,
            Self::Org => Org::down(writer, Some(steps)).await,
        }
    }
}

impl Place {
    /// The lineages that it has, the common one first.
    pub(crate) const fn lineages(&self) -> &'static [Lineage] {
        if self.is_default { &[Lineage::Public, Lineage::Org] } else { &[Lineage::Org] }
    }
}

/// A step of a lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineageStep {
    pub(crate) name: String,
    pub(crate) is_applied: bool,
}

impl Store {
    /// The steps of a lineage, and which of them this place has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Schema`] if it has one that this program does not know.
    pub(crate) async fn schema_steps(
        &self,
        lineage: Lineage,
    ) -> Result<Vec<LineageStep>, StoreError> {
        let steps = lineage.with_status(self.writer()).await.map_err(StoreError::schema)?;
        let step = |step: &Migration| LineageStep {
            name: step.name().to_owned(),
            is_applied: step.status() == MigrationStatus::Applied,
        };
        Ok(steps.iter().map(step).collect())
    }

    /// Applies the steps of a lineage that are missing; their names.
    ///
    /// Of several who do that at once each waits for the one before.
    pub(crate) async fn upgrade(&self, lineage: Lineage) -> Result<Vec<String>, StoreError> {
        self.lock_schema().await?;
        let applied = self.apply_missing(&[lineage]).await;
        self.unlock_schema().await?;
        applied
    }

    /// [`Self::upgrade`] for all lineages of this place.
    pub(crate) async fn upgrade_all(&self) -> Result<Vec<String>, StoreError> {
        self.lock_schema().await?;
        let applied = self.apply_missing(self.place().lineages()).await;
        self.unlock_schema().await?;
        applied
    }

    /// Takes back the newest steps of a lineage, at most so many; their names.
    pub(crate) async fn downgrade(
        &self,
        lineage: Lineage,
        steps: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.lock_schema().await?;
        let undone = self.take_back(lineage, steps).await;
        self.unlock_schema().await?;
        undone
    }

    /// Makes the schema of an empty place; one that is there must be that of this program.
    ///
    /// # Errors
    ///
    /// [`StoreError::OldSchema`] if it is older, [`StoreError::Schema`] if it is newer.
    pub(crate) async fn make_schema(&self) -> Result<(), StoreError> {
        self.lock_schema().await?;
        let applied = self.apply_to_empty().await;
        self.unlock_schema().await?;
        applied.map(drop)
    }

    /// Makes the schema of this place fit for serving; the names of the steps that were applied.
    ///
    /// A file is brought up to date, and so is an empty schema. One of PostgreSQL that other servers
    /// may use is not: its owner says when.
    ///
    /// # Errors
    ///
    /// [`StoreError::OldSchema`] then, [`StoreError::Schema`] if it is newer than this program,
    /// [`StoreError::UnfinishedCopy`] if a copy into this place was interrupted.
    pub(crate) async fn prepare_schema(&self) -> Result<Vec<String>, StoreError> {
        self.lock_schema().await?;
        let applied = self.apply_where_nobody_else_may_serve().await;
        self.unlock_schema().await?;
        applied
    }

    async fn apply_where_nobody_else_may_serve(&self) -> Result<Vec<String>, StoreError> {
        if self.has_unfinished_copy().await? {
            return Err(StoreError::UnfinishedCopy(self.place().to_string()));
        }
        if self.dialect() == Dialect::Sqlite {
            return self.apply_missing(self.place().lineages()).await;
        }
        self.apply_to_empty().await
    }

    async fn apply_to_empty(&self) -> Result<Vec<String>, StoreError> {
        let lineages = self.place().lineages();
        let mut steps = Vec::new();
        for lineage in lineages {
            steps.extend(self.schema_steps(*lineage).await?);
        }
        let is_empty = steps.iter().all(|step| !step.is_applied);
        if is_empty {
            return self.apply_missing(lineages).await;
        }
        let missing = names(steps, false);
        if missing.is_empty() { Ok(missing) } else { Err(StoreError::OldSchema { missing }) }
    }

    async fn apply_missing(&self, lineages: &[Lineage]) -> Result<Vec<String>, StoreError> {
        let mut applied = Vec::new();
        for lineage in lineages {
            let missing = names(self.schema_steps(*lineage).await?, false);
            lineage.up(self.writer()).await.map_err(StoreError::schema)?;
            applied.extend(missing);
        }
        Ok(applied)
    }

    async fn take_back(&self, lineage: Lineage, steps: u32) -> Result<Vec<String>, StoreError> {
        let applied = names(self.schema_steps(lineage).await?, true);
        lineage.down(self.writer(), steps).await.map_err(StoreError::schema)?;
        Ok(applied.into_iter().rev().take(steps as usize).collect())
    }

    /// Waits until nobody else changes the schema of this place; there is one connection that
    /// writes, so the lock is held by the one that changes it, for as long as that takes.
    async fn lock_schema(&self) -> Result<(), StoreError> {
        if let Some(statement) = self.dialect().lock_schema(self.place()) {
            self.writer().execute_unprepared("SET statement_timeout = 0").await?;
            self.writer().execute_raw(statement).await?;
        }
        Ok(())
    }

    async fn unlock_schema(&self) -> Result<(), StoreError> {
        if let Some(statement) = self.dialect().unlock_schema(self.place()) {
            self.writer().execute_raw(statement).await?;
            self.writer().execute_unprepared("RESET statement_timeout").await?;
        }
        Ok(())
    }

    /// Whether organizations and keys are here.
    pub(crate) async fn has_common_tables(&self) -> Result<bool, StoreError> {
        let has_table = SchemaManager::new(self.writer()).has_table("organization").await;
        has_table.map_err(StoreError::schema)
    }
}

fn names(steps: Vec<LineageStep>, is_applied: bool) -> Vec<String> {
    let wanted = steps.into_iter().filter(|step| step.is_applied == is_applied);
    wanted.map(|step| step.name).collect()
}
