//! The whole system from outside: what the contract promises, over HTTP.

mod actions;
mod batches;
mod canarypy;
mod devices;
mod durability;
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
mod selection;
mod signals;
mod statistics;
mod system;
mod verdicts;
