//! Blocks of readings are stored as they are: they are packed, and gone within the hour.
//!
//! PostgreSQL would pack them once more, which takes it longer than all else that it does with them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        store(manager, "EXTERNAL").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        store(manager, "EXTENDED").await
    }
}

/// SQLite packs nothing.
async fn store(manager: &SchemaManager<'_>, how: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!("ALTER TABLE reading_block ALTER COLUMN bytes SET STORAGE {how}");
    manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
}
