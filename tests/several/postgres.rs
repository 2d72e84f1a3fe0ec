//! Several servers on one PostgreSQL: they show each other what they commit, judge once, and lose
//! nothing when one of them ends.

#[cfg(postgres)]
#[path = "main.rs"]
mod several;

#[cfg(not(postgres))]
#[test]
#[ignore = "there is no PostgreSQL here: the tests of several servers were not run"]
fn several_servers_on_postgres() {}
