//! The servers under measurement, each in a process of its own.
//!
//! Both print their address as the first line, and end when the parent does, whose end of their
//! standard input closes with it.

use std::io::Read;
use std::sync::Arc;

use canary_server::clock::System;
use canary_server::{Settings, Sources};
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{Route, get, handler};

use crate::Failure;

#[handler]
fn greet() -> &'static str {
    "hello"
}

/// The smallest poem there is: what the others are compared with.
#[tokio::main]
pub(crate) async fn hello() -> Result<(), Failure> {
    end_with_the_parent();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    for address in acceptor.local_addr() {
        if let Some(address) = address.as_socket_addr() {
            println!("{address}");
        }
    }
    let app = Route::new().at("/", get(greet));
    Ok(poem::Server::new_with_acceptor(acceptor).run(app).await?)
}

/// Canary as it is installed, but for its port and its database.
#[tokio::main]
pub(crate) async fn canary(database: &str) -> Result<(), Failure> {
    end_with_the_parent();
    let flags = [
        ("api_host", "127.0.0.1".to_owned()),
        ("api_port", "0".to_owned()),
        ("db_conn_string", format!("sqlite://{database}?mode=rwc")),
    ];
    let flags = flags.map(|(name, value)| (name.to_owned(), value)).into();
    let settings = Settings::load(&Sources { flags, ..Sources::default() })?;
    canary_server::telemetry::init(&settings.log_level)?;
    let server = canary_server::start(&settings, Arc::new(System)).await?;
    println!("{}", server.url());
    Ok(server.run_until_signal().await?)
}

/// Nothing is ever written to standard input: its end is that of the parent.
fn end_with_the_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}
