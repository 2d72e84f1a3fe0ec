//! What the tests of the whole system stand on.
//!
//! | part | what it is |
//! | --- | --- |
//! | [`TestServer`] | a server in this process, on a free port, with a database and a clock of its own |
//! | [`ServerProcess`] | a server in a process of its own, to be killed |
//! | [`Cluster`], [`Authority`] | a PostgreSQL of a test's own, to be stopped and started |
//! | [`Http`], [`Answer`] | requests to either, and what came back, whatever its status |
//! | [`lines`], [`packed`] | bodies of one object per line, and packed ones |
//! | [`Product`], [`NewRelease`], [`NewSignal`], [`Runs`] | what a test is about, in one line each |
//! | [`reading`], [`readings()`], [`temperature`] | readings as JSON, good and to be spoilt |
//! | [`NewReading`], [`Question`], [`Known`] | readings, and a plain sort to compare the answers with |
//! | [`check_test`], [`mixture`], [`Block`] | evidence as it is shown, and the plain sums by which it is checked |
//! | [`block_on`] | a part of the server that is used without one |
//! | [`eventually`] | a look at something that another thread brings about, until it is there |
//!
//! Nothing here sleeps to let time pass: time is the server's [`Manual`] clock, and a test moves it.
//!
//! [`Manual`]: canary_server::clock::Manual

mod cluster;
mod database;
mod evidence;
mod http;
mod nouns;
mod postgres_programs;
mod process;
mod readings;
mod server;

use std::time::{Duration, Instant};

pub use crate::cluster::{Authority, Cluster, Ending};
pub use crate::database::SharedDatabase;
pub use crate::evidence::{Block, blocks, check_test, is_near, mixture, numbers};
pub use crate::http::{Answer, GZIP, Http, JSON, NDJSON, lines, packed};
pub use crate::nouns::{NewRelease, NewSignal, Product, Runs, default_policy};
pub use crate::process::ServerProcess;
pub use crate::readings::{
    DEVICE, Known, NewReading, Numbers, Question, READINGS, TYPES, reading, readings, temperature,
};
pub use crate::server::TestServer;

/// Tests that run on PostgreSQL, where there is one when this is built; one that is left out by name
/// where there is none. The program that has them must have `_postgres` in its name.
#[cfg(postgres)]
#[macro_export]
macro_rules! on_postgres {
    ($($item:item)*) => { $($item)* };
}

/// Tests that run on PostgreSQL, where there is one when this is built; one that is left out by name
/// where there is none. The program that has them must have `_postgres` in its name.
#[cfg(not(postgres))]
#[macro_export]
macro_rules! on_postgres {
    ($($item:item)*) => {
        #[test]
        #[ignore = "there is no PostgreSQL here: none of these tests was run on it"]
        fn on_postgres() {}
    };
}

/// How long [`eventually`] looks.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks until there is something to see; for what another thread or process brings about.
///
/// # Panics
///
/// If nothing is seen within 10 s; `what` says what was waited for.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "not seen within {PATIENCE:?}: {what}");
        // Not to let time pass, but to leave the processor to those who are looked at.
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a part of the server that is used without one.
///
/// # Panics
///
/// If there is no thread for it.
pub fn block_on<T>(part: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(part)
}
