//! The whole system from outside: what the contract promises, over HTTP.

mod actions;
mod batches;
mod canarypy;
mod durability;
mod problems;
mod products;
mod releases;
mod selection;
mod signals;
mod system;
mod verdicts;
