//! Organizations, their keys, and the number that grows with every change of either.
//!
//! Moments are microseconds since 1970.
//! A key is stored as its hash: nothing here opens a door.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, integer, string, string_uniq, uuid, uuid_null,
};
use sea_orm_migration::sea_orm::{DbBackend, Statement};

/// The identifier of `default`, see [`OrganizationId`](crate::organization::OrganizationId).
const DEFAULT: sea_orm::prelude::Uuid =
    sea_orm::prelude::Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000);

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// On SQLite, too: half of it would keep the other half from ever being made.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [organization(), access_key(), registry()] {
            manager.create_table(table).await?;
        }
        // A key that was revoked, or replaced by another, gives its name free.
        manager
            .create_index(
                Index::create()
                    .name("access_key_name")
                    .table("access_key")
                    .col("organization_id")
                    .col("name")
                    .unique()
                    .cond_where(Expr::col("revoked_at").is_null())
                    .cond_where(Expr::col("replaced_by").is_null())
                    .to_owned(),
            )
            .await?;
        let backend = manager.get_database_backend();
        let connection = manager.get_connection();
        connection.execute_raw(first_organization(backend)).await?;
        manager.execute(first_revision()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["registry", "access_key", "organization"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn organization() -> TableCreateStatement {
    Table::create()
        .table("organization")
        .col(uuid("id").primary_key())
        .col(string_uniq("name"))
        .col(big_integer("created_at"))
        .to_owned()
}

/// Keys, those that were revoked as well.
fn access_key() -> TableCreateStatement {
    Table::create()
        .table("access_key")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(string("name"))
        .col(string("scopes"))
        .col(string_uniq("prefix"))
        .col(binary("hash"))
        .col(big_integer("created_at"))
        .col(big_integer_null("expires_at"))
        .col(big_integer_null("revoked_at"))
        .col(uuid_null("replaced_by"))
        .to_owned()
}

/// One row: `revision` grows with every change of the other two.
fn registry() -> TableCreateStatement {
    Table::create()
        .table("registry")
        .col(integer("id").primary_key())
        .col(big_integer("revision"))
        .to_owned()
}

/// `default`, made now by the clock of the database: a step is given none.
fn first_organization(backend: DbBackend) -> Statement {
    const SQLITE: &str = "INSERT INTO organization (id, name, created_at) \
        VALUES (?, 'default', unixepoch() * 1000000)";
    const POSTGRES: &str = "INSERT INTO organization (id, name, created_at) \
        VALUES ($1, 'default', floor(extract(epoch FROM now()))::bigint * 1000000)";
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    Statement::from_sql_and_values(backend, sql, [DEFAULT.into()])
}

fn first_revision() -> InsertStatement {
    let row: [Expr; 2] = [1.into(), 0.into()];
    let mut insert = Query::insert();
    insert.into_table("registry").columns(["id", "revision"]).values_panic(row);
    insert
}
