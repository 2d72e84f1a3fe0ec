//! Several servers on one database.

mod killed;
mod together;
