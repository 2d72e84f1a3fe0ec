//! What was acknowledged survives the end of the process, whichever way it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use canary_tests::{Product, ServerProcess, SharedDatabase, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// How many threads send at once.
const SENDERS: usize = 16;

/// How many signals are acknowledged before the server is killed.
const ENOUGH: usize = 2_000;

/// Signals of one sender.
#[derive(Default)]
struct Sent {
    acknowledged: Vec<Value>,
    /// Sent, and nobody knows what became of it.
    in_flight: Option<Value>,
}

/// A product with the stable release 1, and its identifier.
fn with_release(server: &ServerProcess) -> (Product, String) {
    let product = Product::register(server, "etl");
    let release = product.release("1").with("is_canary", false).create();
    (product, release)
}

/// Sends signals one by one until the server no longer answers.
fn send_until_it_ends(server: &ServerProcess, product: &Product, acks: &AtomicUsize) -> Sent {
    let mut sent = Sent::default();
    loop {
        let id = Uuid::new_v4().to_string();
        let status = if sent.acknowledged.len() % 10 == 9 { "failed" } else { "success" };
        let signal = product.signal("1", status).with("id", id.as_str()).body();
        let body = signal.to_string();
        match server.send("POST", "/signal", &[], Some(body.as_bytes())) {
            Ok(answer) => {
                assert_eq!(answer.expect(201)["id"], id);
                sent.acknowledged.push(signal);
                acks.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {
                sent.in_flight = Some(signal);
                return sent;
            }
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_is_known_when_it_comes_again() {
    let database = SharedDatabase::new();
    let mut server = ServerProcess::start(PROGRAM, &database);
    let (product, release) = with_release(&server);

    let acks = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let sent = send_until_it_ends(&server, &product, &acks);
                all.lock().unwrap().push(sent);
            });
        }
        eventually("signals that were acknowledged", || {
            (acks.load(Ordering::Relaxed) >= ENOUGH).then_some(())
        });
        server.kill();
    });
    server.wait();
    let (mut acknowledged, mut in_flight) = (Vec::new(), Vec::new());
    for sent in all.into_inner().unwrap() {
        acknowledged.extend(sent.acknowledged);
        in_flight.extend(sent.in_flight);
    }
    assert!(acknowledged.len() >= ENOUGH);
    assert!(!in_flight.is_empty() && in_flight.len() <= SENDERS);

    let server = ServerProcess::start(PROGRAM, &database);
    let stored = server.signals(&release)["total"].as_u64().expect("a count") as usize;
    assert!(stored >= acknowledged.len(), "{stored} of {} are left", acknowledged.len());
    assert!(stored <= acknowledged.len() + in_flight.len());

    for some in acknowledged.chunks(1_000) {
        let outcome = server.post("/signal/batch", &json!(some)).expect(200);
        assert_eq!(outcome, json!({"accepted": 0, "duplicates": some.len(), "rejected": []}));
    }
    let outcome = server.post("/signal/batch", &json!(in_flight)).expect(200);
    let (accepted, known) = (&outcome["accepted"], &outcome["duplicates"]);
    assert_eq!(*known, stored - acknowledged.len(), "those that were stored are known");
    assert_eq!(*accepted, acknowledged.len() + in_flight.len() - stored);

    let distinct = acknowledged.iter().chain(&in_flight);
    let failed = distinct.clone().filter(|signal| signal["status"] == "failed").count();
    let total = distinct.count();
    let wanted = json!({"success": total - failed, "failed": failed, "neutral": 0, "total": total});
    assert_eq!(server.signals(&release), wanted);
}

#[test]
fn a_rollout_goes_on_where_it_was_killed() {
    let database = SharedDatabase::new();
    let mut server = ServerProcess::start(PROGRAM, &database);
    let (product, _) = with_release(&server);
    let canary = product.release("2").create();
    product.report("2", "failed", 3);
    let before = server.release(&canary);
    server.kill();
    server.wait();

    let server = ServerProcess::start(PROGRAM, &database);
    assert_eq!(server.release(&canary), before);
    // The evidence against it was kept: one more failure is the fourth.
    let signal = product.signal("2", "failed").body();
    server.post("/signal", &signal).expect(201);
    let after = server.release(&canary);
    assert_eq!(after["state"], "rolled_back");
    assert_eq!(after["verdict"]["evidence"]["canary"]["failed"], 4);
}

#[test]
fn a_server_that_is_asked_to_end_answers_what_is_under_way_and_ends_well() {
    let database = SharedDatabase::new();
    let mut server = ServerProcess::start(PROGRAM, &database);
    let (product, release) = with_release(&server);
    let address = server.url().trim_start_matches("http://").to_owned();
    let body = product.signal("1", "ok").body().to_string();

    // Each of these is read by its handler, which waits for the rest of the body.
    let under_way: Vec<BufReader<TcpStream>> =
        (0..8).map(|_| begin_request(&address, body.len())).collect();
    server.terminate();
    eventually("no new connections", || TcpStream::connect(&address).err());
    for mut stream in under_way {
        stream.get_mut().write_all(body.as_bytes()).expect("the rest is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    let status = server.wait();
    assert!(status.success(), "{status}");

    let server = ServerProcess::start(PROGRAM, &database);
    assert_eq!(server.signals(&release)["total"], 8);
}

/// Sends the head of a signal, and waits until the server asks for its body.
fn begin_request(address: &str, length: usize) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = format!(
        "POST /signal HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the head is sent");
    let mut stream = BufReader::new(stream);
    for wanted in ["HTTP/1.1 100 Continue\r\n", "\r\n"] {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        assert_eq!(line, wanted);
    }
    stream
}

#[test]
fn a_server_that_finds_another_at_its_file_counts_on_from_what_that_one_stored() {
    let database = SharedDatabase::new();
    let first = ServerProcess::start(PROGRAM, &database);
    let (product, stable) = with_release(&first);
    let canary = product.release("2").create();
    let second = ServerProcess::start(PROGRAM, &database);
    for _ in 0..20 {
        for server in [&first, &second] {
            server.post("/signal", &product.signal("1", "ok").body()).expect(201);
        }
    }
    for server in [&first, &second] {
        server.post("/signal", &product.signal("2", "failed").body()).expect(201);
        server.post("/signal", &product.signal("2", "failed").body()).expect(201);
    }
    for server in [&first, &second] {
        assert_eq!(server.signals(&stable)["total"], 40);
        let canary = server.release(&canary);
        assert_eq!(canary["state"], "rolled_back", "all four failures are seen together");
        assert_eq!(canary["bands"][0]["stable"]["success"], 40);
    }
}
