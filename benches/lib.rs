//! Benchmarks of the whole server; those of single functions live in `canary-core`.
//!
//! ```text
//! cargo bench -p canary-benches --bench http       releases and signals
//! cargo bench -p canary-benches --bench readings   the readings of devices
//! cargo bench -p canary-benches --bench postgres   both on PostgreSQL, one server and two
//! ```
//!
//! All run servers as child processes of their own and make load beside them; here is what they
//! share: [`program`] reads the command line, [`child`] and [`server`] are the two ends of a
//! server, [`connection`] and [`load`] make requests, [`traffic`] those about releases and signals,
//! [`bulk`] those with many readings, which [`post`] writes down as [`fleet`] and [`dice`] have
//! them; [`rounds`] measures against a bare poem, [`figures`] and [`table`] say what came of it.

pub mod bulk;
pub mod child;
pub mod connection;
pub mod dice;
pub mod figures;
pub mod fleet;
pub mod load;
pub mod post;
pub mod program;
pub mod rounds;
pub mod server;
pub mod table;
pub mod traffic;

/// What ends a benchmark early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
