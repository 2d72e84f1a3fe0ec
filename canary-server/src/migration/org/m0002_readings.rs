//! Readings: types, series, the blocks of commits, chunks of an hour each, and roll-ups.
//!
//! Times are seconds or hours since 1970.
//! A chunk's `id` is series · 2²² + hour: one device's hours lie side by side.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary, binary_null, boolean, double, integer, string, string_uniq,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [reading_type(), series(), block(), chunk(), rollup(), fold()] {
            manager.create_table(table).await?;
        }
        manager
            .create_index(
                Index::create()
                    .name("reading_series_name")
                    .table("reading_series")
                    .col("device")
                    .col("type_id")
                    .col("version")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager.execute(first_types()).await?;
        manager.execute(first_fold()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            "reading_fold",
            "reading_rollup",
            "reading_chunk",
            "reading_block",
            "reading_series",
            "reading_type",
        ];
        for table in tables {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn number(name: &'static str) -> ColumnDef {
    big_integer(name).primary_key().take()
}

/// Types, numbered from 0 in the order of declaration.
fn reading_type() -> TableCreateStatement {
    Table::create()
        .table("reading_type")
        .col(integer("id").primary_key())
        .col(string_uniq("name"))
        .col(string("unit"))
        .col(double("minimum"))
        .col(double("maximum"))
        .col(boolean("is_integer"))
        .to_owned()
}

/// Series, numbered from 0; a version is empty where readings had none.
fn series() -> TableCreateStatement {
    Table::create()
        .table("reading_series")
        .col(number("id"))
        .col(string("device"))
        .col(integer("type_id"))
        .col(string("version"))
        .to_owned()
}

/// What was committed and not folded yet.
fn block() -> TableCreateStatement {
    Table::create()
        .table("reading_block")
        .col(number("id"))
        .col(big_integer("readings"))
        .col(binary("bytes"))
        .to_owned()
}

/// One series and hour each: what answers for the whole hour, and the readings.
fn chunk() -> TableCreateStatement {
    Table::create()
        .table("reading_chunk")
        .col(number("id"))
        .col(binary("head"))
        .col(binary_null("points"))
        .to_owned()
}

/// The summary of all devices by type, version and hour.
fn rollup() -> TableCreateStatement {
    Table::create()
        .table("reading_rollup")
        .col(integer("type_id"))
        .col(string("version"))
        .col(big_integer("hour"))
        .col(binary("summary"))
        .primary_key(Index::create().col("type_id").col("version").col("hour"))
        .to_owned()
}

/// One row: how far folding is.
///
/// Of the blocks up to `last_block`, the readings before (`series`, `second`) are in chunks.
/// `revision` grows with every step; `thinned_hour` is the first hour that has all its readings.
fn fold() -> TableCreateStatement {
    Table::create()
        .table("reading_fold")
        .col(integer("id").primary_key())
        .col(big_integer("revision"))
        .col(big_integer("last_block"))
        .col(big_integer("series"))
        .col(big_integer("second"))
        .col(big_integer("thinned_hour"))
        .to_owned()
}

/// The types of the Canary Platform API.
fn first_types() -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table("reading_type").columns([
        "id",
        "name",
        "unit",
        "minimum",
        "maximum",
        "is_integer",
    ]);
    for (id, name) in [(0, "temperature"), (1, "humidity")] {
        let row = [id.into(), name.into(), "".into(), 0.0.into(), 100.0.into(), true.into()];
        insert.values_panic(row);
    }
    insert
}

fn first_fold() -> InsertStatement {
    let columns = ["id", "revision", "last_block", "series", "second", "thinned_hour"];
    let row: [Expr; 6] = [1.into(), 0.into(), 0.into(), 0.into(), 0.into(), 0.into()];
    let mut insert = Query::insert();
    insert.into_table("reading_fold").columns(columns).values_panic(row);
    insert
}
