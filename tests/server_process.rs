//! A server in a process of its own, to be killed by tests; its address is its first line.
//!
//! The only argument is the path of its database.

use std::error::Error;
use std::sync::Arc;

use canary_server::clock::System;
use canary_server::{DatabaseUrl, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = std::env::args().nth(1).ok_or("the path of the database is missing")?;
    let database = DatabaseUrl::new(format!("sqlite://{database}?mode=rwc"));
    let settings = Settings { port: 0, database, ..Settings::default() };
    let server = canary_server::start(&settings, Arc::new(System)).await?;
    println!("{}", server.url());
    Ok(server.run_until_signal().await?)
}
