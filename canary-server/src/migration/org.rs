//! The lineage of an organization's tables, oldest step first.

mod m0001_products_releases_signals;
mod m0002_readings;
mod m0003_policies;
mod m0004_audit;
mod m0005_blocks_as_they_are;

use sea_orm_migration::MigrationTrait;

pub(super) fn steps() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_products_releases_signals::Migration),
        Box::new(m0002_readings::Migration),
        Box::new(m0003_policies::Migration),
        Box::new(m0004_audit::Migration),
        Box::new(m0005_blocks_as_they_are::Migration),
    ]
}
