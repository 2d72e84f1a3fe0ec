//! Several servers on one database.

mod killed;
mod roles;
mod together;
