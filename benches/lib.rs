//! Benchmarks of the whole server; those of single functions live in `canary-core`.
//!
//! `cargo bench -p canary-benches --bench http`, see `http/main.rs`.
