//! Products, releases, signals, decisions, and the keys that make sending twice safe.
//!
//! Moments are microseconds since 1970.
//! A release carries the counts of its signals and the byte form of its rollout, so that a restart
//! reads 1 row per release and no signal.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, binary, binary_null, boolean, double, integer, small_integer_null,
    string, string_null, uuid,
};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("product")
                    .col(uuid("id").primary_key())
                    .col(string("name").unique_key())
                    .col(string("repository_url"))
                    .col(string("artifact_url").unique_key())
                    .col(big_integer("registered_at"))
                    .col(big_integer("revision"))
                    .col(string("settled_reason"))
                    .to_owned(),
            )
            .await?;
        manager.create_table(release()).await?;
        manager
            .create_index(
                Index::create()
                    .name("release_version")
                    .table("release")
                    .col("product_id")
                    .col("semver_version")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("release_registered")
                    .table("release")
                    .col("registered_at")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager.create_table(signal(number(manager))).await?;
        manager
            .create_table(
                Table::create()
                    .table("decision")
                    .col(number(manager))
                    .col(uuid("release_id"))
                    .col(big_integer("at"))
                    .col(string("action"))
                    .col(string("from_standing"))
                    .col(string("to_standing"))
                    .col(string("actor"))
                    .col(string("rule"))
                    .col(string("sentence"))
                    .col(string_null("evidence"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("decision_release")
                    .table("decision")
                    .col("release_id")
                    .col("number")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("idempotency")
                    .col(string("operation"))
                    .col(string("key"))
                    .col(binary("fingerprint"))
                    .col(string("receipt"))
                    .col(big_integer("at"))
                    .primary_key(Index::create().col("operation").col("key"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("idempotency_at").table("idempotency").col("at").to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["idempotency", "decision", "signal", "release", "product"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The order of arrival. On SQLite it is the row's own number: to count it as well, so that numbers
/// of deleted rows never come again, would cost each commit a page.
fn number(manager: &SchemaManager) -> ColumnDef {
    match manager.get_database_backend() {
        DbBackend::Sqlite => ColumnDef::new("number").integer().not_null().primary_key().take(),
        _ => big_pk_auto("number"),
    }
}

fn release() -> TableCreateStatement {
    Table::create()
        .table("release")
        .col(uuid("id").primary_key())
        .col(uuid("product_id"))
        .col(string("semver_version"))
        .col(string("state"))
        .col(boolean("is_canary"))
        .col(double("threshold"))
        .col(double("canary_period"))
        .col(integer("band_count"))
        .col(big_integer("release_date"))
        .col(big_integer("registered_at"))
        .col(string("policy"))
        .col(big_integer("success"))
        .col(big_integer("failed"))
        .col(big_integer("neutral"))
        .col(binary_null("rollout"))
        .to_owned()
}

/// One row per signal, in the order of arrival; the unique id makes sending twice safe.
fn signal(number: ColumnDef) -> TableCreateStatement {
    Table::create()
        .table("signal")
        .col(number)
        .col(uuid("id").unique_key())
        .col(uuid("release_id"))
        .col(small_integer_null("band"))
        .col(string("instance_id"))
        .col(string("description"))
        .col(string("status"))
        .col(big_integer("created_at"))
        .col(big_integer("received_at"))
        .col(string_null("measurements"))
        .to_owned()
}
