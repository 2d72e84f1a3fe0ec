//! The lineage of what all organizations have in common, oldest step first.

mod m0001_organizations_keys;
mod m0002_audit;

use sea_orm_migration::MigrationTrait;

pub(super) fn steps() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(m0001_organizations_keys::Migration), Box::new(m0002_audit::Migration)]
}
