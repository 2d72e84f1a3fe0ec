//! PostgreSQL by TLS.

use std::sync::Arc;

use canary_server::clock::System;
use canary_server::{DatabaseUrl, Settings};
use canary_tests::{Authority, Cluster, Http, block_on};

/// Starts a server, which must have its database; else, why it does not start.
fn start(settings: &Settings) -> Result<(), String> {
    block_on(async {
        let server = canary_server::start(settings, Arc::new(System)).await;
        let server = server.map_err(|refused| refused.to_string())?;
        let url = server.url();
        let ready = tokio::task::spawn_blocking(move || Http::to(url).get("/health/ready").status);
        assert_eq!(ready.await.expect("an answer"), 200, "it waits");
        server.stop().await.map_err(|failed| failed.to_string())
    })
}

#[test]
fn a_database_is_reached_by_tls_and_only_the_right_one() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let (cluster, port) = Cluster::with_tls(&right);
    cluster.start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    right.write(&file("right.pem"));
    wrong.write(&file("wrong.pem"));
    let why_not = |host: &str, query: &str| {
        let url = format!("postgres://canary@{host}:{port}/postgres?{query}");
        start(&Settings { port: 0, database: DatabaseUrl::new(url), ..Settings::default() }).err()
    };
    let certificate = |name: &str| format!("sslrootcert={}", file(name).display());
    let full = |name: &str| format!("sslmode=verify-full&{}", certificate(name));
    let authority_alone = format!("sslmode=verify-ca&{}", certificate("right.pem"));

    assert_eq!(why_not("127.0.0.1", &full("right.pem")), None);
    assert_eq!(why_not("127.0.0.1", "sslmode=require"), None);
    assert_eq!(why_not("localhost", &authority_alone), None);

    let cases = [
        ("127.0.0.1", full("wrong.pem"), "certificate"),
        ("127.0.0.1", "sslmode=verify-full".to_owned(), "certificate"),
        // The certificate is one for 127.0.0.1.
        ("localhost", full("right.pem"), "not valid for"),
        ("127.0.0.1", "sslmode=disable".to_owned(), "no encryption"),
        ("127.0.0.1", full("missing.pem"), "which `sslrootcert` of the database's address names"),
    ];
    for (host, query, part) in cases {
        let why = why_not(host, &query).unwrap_or_else(|| panic!("let in with {query}"));
        assert!(why.starts_with("cannot use the database postgres://"), "{why}");
        assert!(why.contains(part), "{query}: {why}");
    }
}
