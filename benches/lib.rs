//! Benchmarks of the whole server; those of single functions live in `canary-core`.
//!
//! ```text
//! cargo bench -p canary-benches --bench http       releases and signals
//! cargo bench -p canary-benches --bench readings   the readings of devices
//! ```
//!
//! Both run servers as child processes of their own and make load beside them; here is what they
//! share: [`program`] reads the command line, [`child`] and [`server`] are the two ends of a
//! server, [`connection`] and [`load`] make requests, [`rounds`] measures against a bare poem,
//! [`figures`] and [`table`] say what came of it.

pub mod child;
pub mod connection;
pub mod figures;
pub mod load;
pub mod program;
pub mod rounds;
pub mod server;
pub mod table;

/// What ends a benchmark early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
