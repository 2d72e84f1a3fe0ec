//! Every table that a copy takes, one line each; their columns are read from the database.
//!
//! A table that a new step of the schema makes gets its line here. The tables of the steps
//! themselves are left out: they say what the program has done to the schema of each database.

use crate::migration::Lineage;

/// A table, and which of its rows a new place does not have: a condition in SQL.
pub(super) type Entry = (&'static str, &'static str);

/// Any row.
const ALL: &str = "true";

const PUBLIC: &[Entry] = &[
    ("organization", "name <> 'default'"),
    ("access_key", ALL),
    ("registry", "revision > 0"),
    ("registry_audit", ALL),
];

const ORG: &[Entry] = &[
    ("product", ALL),
    ("release", ALL),
    ("signal", ALL),
    ("decision", ALL),
    ("idempotency", ALL),
    ("reading_type", "id > 1 OR unit <> '' OR minimum <> 0 OR maximum <> 100 OR NOT is_integer"),
    ("reading_series", ALL),
    ("reading_block", ALL),
    ("reading_chunk", ALL),
    ("reading_rollup", ALL),
    ("reading_fold", "revision > 0"),
    ("audit", ALL),
];

/// The tables of a lineage, in the order in which they are copied.
pub(super) const fn tables(lineage: Lineage) -> &'static [Entry] {
    match lineage {
        Lineage::Public => PUBLIC,
        Lineage::Org => ORG,
    }
}
