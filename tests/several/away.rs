//! A server whose database is not there, yet or any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use canary_server::clock::System;
use canary_server::{Pool, Server, Settings, StopError};
use canary_tests::{
    Answer, Cluster, Ending, Http, Product, ServerProcess, SharedDatabase, TestServer, block_on,
    eventually,
};
use sea_orm::{ConnectionTrait as _, Database, TransactionTrait as _};

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

fn is_ready(http: &Http) -> bool {
    http.get("/health/ready").status == 200
}

/// The answer, which says that it is to be tried again.
fn check_try_again(answer: &Answer) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("unavailable")));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[test]
fn a_server_waits_for_its_database_and_says_so() {
    let cluster = Arc::new(Cluster::new());
    let server = TestServer::waiting_for(SharedDatabase::in_cluster(&cluster));
    assert_eq!(server.get("/health/live").expect(200)["status"], "ok");
    let ready = server.get("/health/ready").expect(503);
    assert_eq!(ready["status"], "the server waits for its database");
    assert_eq!(server.get("/version").expect(200)["name"], "canary");
    for page in ["/docs", "/redoc", "/openapi.json", "/problems/unavailable"] {
        assert_eq!(server.get(page).status, 200, "{page}");
    }
    for path in ["/product", "/", "/metrics", "/key", "/release/etl/latest"] {
        check_try_again(&server.get(path));
    }
    let body = Product::body("etl");
    check_try_again(&server.post("/product", &body));
    assert_eq!(server.get("/nowhere").status, 404);

    cluster.start();
    eventually("a server that is ready", || is_ready(&server).then_some(()));
    server.post("/product", &body).expect(201);
    assert_eq!(server.get("/product").expect(200)[0]["name"], "etl");
}

#[test]
fn a_server_says_that_its_database_is_gone_and_when_it_is_back() {
    let cluster = Arc::new(Cluster::new());
    cluster.start();
    let server = TestServer::waiting_for(SharedDatabase::in_cluster(&cluster));
    let (_, release) = server.product_with_canary();
    assert!(is_ready(&server));
    cluster.stop(Ending::Fast);
    let ready = server.get("/health/ready").expect(503);
    assert_eq!(ready["status"], "the database does not answer");
    // What is in memory is answered all the same.
    assert_eq!(server.get("/release/etl/latest").status, 200);
    let path = format!("/release/{release}");
    check_try_again(&server.get(&path));
    cluster.start();
    eventually("a server that is ready again", || is_ready(&server).then_some(()));
    server.get(&path).expect(200);
}

#[test]
fn who_waits_too_long_for_a_database_is_told_to_try_again() {
    let cluster = Arc::new(Cluster::new());
    cluster.start();
    let server = TestServer::waiting_for(SharedDatabase::in_cluster(&cluster));
    let (product, release) = server.product_with_canary();
    cluster.stop(Ending::Immediate);
    std::thread::scope(|scope| {
        let read = scope.spawn(|| server.get(&format!("/release/{release}/decisions")));
        check_try_again(&product.signal("0.0.2", "success").send());
        check_try_again(&read.join().expect("somebody who asks"));
    });
    // Nobody else waits as long.
    let began = Instant::now();
    check_try_again(&product.signal("0.0.2", "success").send());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    cluster.start();
    product.signal("0.0.2", "success").send().expect(201);
    assert_eq!(server.signals(&release)["total"], 1);
}

#[test]
fn what_will_not_mend_itself_ends_the_wait() {
    let cluster = Arc::new(Cluster::new());
    let mut process = ServerProcess::start_on(PROGRAM, &cluster.url_of("nowhere"));
    process.get("/health/ready").expect(503);
    cluster.start();
    assert!(!process.wait().success(), "there is no such database");
}

/// Starts a server on an address that others reach.
async fn start_for_all(cluster: &Cluster) -> Server {
    let (host, database) = ("0.0.0.0".to_owned(), cluster.url());
    let settings = Settings { host, port: 0, database, ..Settings::default() };
    canary_server::start(&settings, Arc::new(System)).await.expect("a server that waits")
}

#[test]
fn a_server_without_keys_never_serves_others_even_after_it_has_waited() {
    let cluster = Cluster::new();
    let refused = block_on(async {
        let server = start_for_all(&cluster).await;
        let url = format!("http://127.0.0.1:{}", server.address().port());
        let running = tokio::spawn(server.run_until_signal());
        tokio::task::block_in_place(|| {
            assert_eq!(Http::to(url.as_str()).get("/product").status, 503);
            cluster.start();
        });
        running.await.expect("a server that ends")
    });
    let refused = refused.expect_err("it has no keys");
    assert!(matches!(refused, StopError::Start(_)), "{refused}");
    assert!(refused.to_string().starts_with("there is no key"), "{refused}");
}

#[test]
fn a_statement_that_takes_too_long_is_ended() {
    let cluster = Cluster::new();
    cluster.start();
    let pool = Pool { statement_timeout: Duration::from_secs(1), ..Pool::default() };
    let settings = Settings { port: 0, database: cluster.url(), pool, ..Settings::default() };
    block_on(async {
        let server = canary_server::start(&settings, Arc::new(System)).await.expect("a server");
        let other = Database::connect(cluster.url().reveal()).await.expect("a connection");
        let locked = other.begin().await.expect("a transaction");
        locked.execute_unprepared("LOCK TABLE product").await.expect("a lock");
        tokio::task::block_in_place(|| {
            let http = Http::to(server.url());
            let answer = http.get("/product");
            check_try_again(&answer);
            let detail = "the database would take too long over this, ask for less";
            assert_eq!(answer.json()["detail"], detail);
        });
        locked.rollback().await.expect("no lock");
        tokio::task::block_in_place(|| Http::to(server.url()).get("/product").expect(200));
        server.stop().await.expect("the server stops");
    });
}

#[test]
fn a_server_that_waits_stops_at_once() {
    let cluster = Cluster::new();
    let took = block_on(async {
        let server = start_for_all(&cluster).await;
        let began = Instant::now();
        server.stop().await.expect("the server stops");
        began.elapsed()
    });
    assert!(took < Duration::from_secs(3), "{took:?}");
}
