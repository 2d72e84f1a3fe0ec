//! The audit of keys and organizations: who did what, when, from where, and what it changed; with
//! the organization that it is shown to.
//!
//! Moments are microseconds since 1970; what was before and after a change is JSON.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, string_null, text_null, uuid, uuid_null};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// On SQLite, too: half of it would keep the other half from ever being made.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(registry_audit()).await?;
        manager.create_index(index("registry_audit_at", &["organization_id", "at", "id"])).await?;
        manager
            .create_index(index(
                "registry_audit_about",
                &["organization_id", "about_id", "at", "id"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("registry_audit").to_owned()).await
    }
}

fn registry_audit() -> TableCreateStatement {
    Table::create()
        .table("registry_audit")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(big_integer("at"))
        .col(string("action"))
        .col(string("actor"))
        .col(uuid_null("key_id"))
        .col(string_null("key_name"))
        .col(string_null("key_prefix"))
        .col(string_null("user_name"))
        .col(string_null("remote_address"))
        .col(string_null("request_id"))
        .col(string("about_id"))
        .col(string("about_name"))
        .col(text_null("reason"))
        .col(text_null("state_before"))
        .col(text_null("state_after"))
        .to_owned()
}

fn index(name: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table("registry_audit").to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}
