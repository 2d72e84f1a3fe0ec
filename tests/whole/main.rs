//! The whole system from outside: what the contract promises, over HTTP.

mod access;
mod access_scopes;
mod actions;
mod analysis;
mod audit;
mod audit_kept;
mod audit_lists;
mod batches;
mod canarypy;
mod comparisons;
mod copies;
mod devices;
mod durability;
mod judge_durability;
mod judging;
mod judging_measurements;
mod judging_readings;
mod organizations;
mod organizations_apart;
mod policies;
mod problems;
mod products;
mod reading_faults;
mod reading_lists;
mod reading_types;
mod readings;
mod readings_durability;
mod readings_oracle;
mod release_dates;
mod release_faults;
mod releases;
mod schema;
mod selection;
mod signals;
mod simulation;
mod statistics;
mod system;
mod unreported;
mod verdicts;

/// Compares with what is committed, whichever of the two programs runs.
fn snapshot(name: &str, value: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "snapshots" }, {
        insta::assert_snapshot!(name, value);
    });
}
