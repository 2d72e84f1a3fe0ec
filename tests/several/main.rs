//! Several servers on one database.

mod reported_elsewhere;
mod roles;
mod together;

// These stop and start a PostgreSQL of their own.
#[cfg(postgres_programs)]
mod away;
#[cfg(postgres_programs)]
mod killed;
#[cfg(postgres_programs)]
mod load;
#[cfg(postgres_programs)]
mod lost_answer;
#[cfg(postgres_programs)]
mod restarted;
#[cfg(postgres_programs)]
mod tls;
