//! The same tests on PostgreSQL.

#[cfg(postgres)]
#[path = "main.rs"]
mod whole;

#[cfg(not(postgres))]
#[test]
#[ignore = "there is no PostgreSQL here: none of the tests of `whole` was run on it"]
fn the_whole_on_postgres() {}
