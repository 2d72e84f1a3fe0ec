//! The servers under measurement, each in a process of its own.
//!
//! All print their address as the first line, and end when the parent does, whose end of their
//! standard input closes with it.

use std::io::Read;
use std::sync::Arc;

use canary_server::clock::System;
use canary_server::{Settings, Sources};
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::web::Data;
use poem::{Endpoint, EndpointExt, Route, get, handler, post};

use crate::Failure;

#[handler]
fn greet() -> &'static str {
    "hello"
}

/// Reads the whole body and looks at none of it.
#[handler]
fn take(_: Vec<u8>, Data(answer): Data<&String>) -> String {
    answer.clone()
}

/// The smallest poem there is: what the others are compared with.
#[tokio::main]
pub async fn hello() -> Result<(), Failure> {
    serve(Route::new().at("/", get(greet))).await
}

/// What any server could take at most from the load generator: it answers that so many readings
/// were accepted, whatever was sent.
#[tokio::main]
pub async fn stub(accepted: &str) -> Result<(), Failure> {
    let answer = format!(r#"{{"accepted":{accepted},"rejected":[]}}"#);
    serve(Route::new().at("/readings", post(take)).data(answer)).await
}

async fn serve(app: impl Endpoint + 'static) -> Result<(), Failure> {
    end_with_the_parent();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    for address in acceptor.local_addr() {
        if let Some(address) = address.as_socket_addr() {
            println!("{address}");
        }
    }
    Ok(poem::Server::new_with_acceptor(acceptor).run(app).await?)
}

/// Canary as it is installed, but for its port and its database.
pub fn canary(database: &str) -> Result<(), Failure> {
    canary_server::runtime()?.block_on(serve_canary(database))
}

async fn serve_canary(database: &str) -> Result<(), Failure> {
    end_with_the_parent();
    let flags = [
        ("api_host", "127.0.0.1".to_owned()),
        ("api_port", "0".to_owned()),
        ("db_conn_string", database.to_owned()),
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
