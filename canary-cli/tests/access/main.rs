//! Keys, organizations and the schema through the program itself, as a person sees them.

mod keys;
mod organizations;
mod parts;
#[path = "../releases/program.rs"]
mod program;
mod schema;
mod servers;

use canary_server::DatabaseUrl;

use self::program::{Said, canary_fed};

/// Nobody is there: what works on a database asks no server.
const NOWHERE: &str = "http://127.0.0.1:1";

/// Runs the program on a database.
fn on(database: &DatabaseUrl, line: &str) -> Said {
    canary_fed(NOWHERE, &format!("{line} --db-conn-string {}", database.reveal()), "")
}

/// Makes a key; what opens doors.
#[track_caller]
fn make(database: &DatabaseUrl, flags: &str) -> String {
    on(database, &format!("key create {flags}")).fine().trim().to_owned()
}
