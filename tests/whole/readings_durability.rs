//! Readings that were acknowledged are there exactly once, whichever way the server ended.

mod senders;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use canary_tests::{
    Http, Known, NewReading, Question, ServerProcess, SharedDatabase, TYPES, TestServer,
    eventually, lines, packed,
};

use self::senders::{SENDERS, START, Sender, Senders, has_mark};

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// How many times faster the clock of the server runs. What waits for ten seconds is folded after
/// a millisecond, what waits for six hours after two seconds: rounds follow one another all the
/// time, and a kill comes in the middle of one.
const HASTE: u32 = 10_000;

/// How often the server is killed.
const KILLS: i64 = 6;

fn start(database: &SharedDatabase) -> ServerProcess {
    ServerProcess::start_in_haste(PROGRAM, database, HASTE)
}

fn wait_for_folding(http: &Http) {
    let mut waiting = http.unfolded();
    while waiting > 0 {
        let fewer = || Some(http.unfolded()).filter(|now| *now < waiting);
        waiting = eventually("that fewer readings wait to be folded", fewer);
    }
}

#[test]
fn acknowledged_readings_survive_kills_in_the_middle_of_folding_exactly_once() {
    let database = SharedDatabase::new();
    let mut senders = Senders::new();
    for kill in 0..KILLS {
        let mut server = start(&database);
        let requests = 10 + senders.numbers.below(30 + 5 * kill) as usize;
        senders.send_until(&server, requests, || server.kill());
        server.wait();
        let unanswered = senders.all.iter().filter(|sender| sender.in_flight.is_some()).count();
        assert_eq!(unanswered, SENDERS as usize);

        // With the machine's clock nothing that is young is folded.
        let server = ServerProcess::start(PROGRAM, &database);
        senders.settle(&server);
        senders.check(&server, 60);
    }

    let server = start(&database);
    senders.check(&server, 100);
    senders.send_again(&server);
    senders.check(&server, 100);
    wait_for_folding(&server);
    senders.check(&server, 200);
    drop(server);
    let server = ServerProcess::start(PROGRAM, &database);
    assert_eq!(server.unfolded(), 0);
    senders.check(&server, 60);
}

#[test]
fn a_server_that_is_asked_to_end_loses_no_readings_that_it_acknowledged() {
    let database = SharedDatabase::new();
    let mut senders = Senders::new();
    let mut server = start(&database);
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut late = Sender::new(SENDERS);
    let late: Vec<Vec<NewReading>> = (0..4).map(|_| late.batch()).collect();
    let under_way: Vec<_> = late.iter().map(|batch| begin_request(&address, batch)).collect();

    senders.send_until(&server, 20, || server.terminate());
    for ((mut stream, rest), batch) in under_way.into_iter().zip(&late) {
        stream.get_mut().write_all(rest.as_bytes()).expect("the rest is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        senders.known.take(batch);
    }
    let status = server.wait();
    assert!(status.success(), "{status}");

    let server = ServerProcess::start(PROGRAM, &database);
    for batch in senders.all.iter().flat_map(|sender| &sender.refused) {
        assert!(!has_mark(&server, batch), "what was refused is not stored");
    }
    senders.settle(&server);
    senders.check(&server, 100);
    drop(server);
    let server = start(&database);
    wait_for_folding(&server);
    senders.check(&server, 100);
}

/// Sends the head and the first half of a request, when the server has asked for its body; gives
/// the rest.
fn begin_request(address: &str, batch: &[NewReading]) -> (BufReader<TcpStream>, String) {
    let body = lines(batch);
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = head(address, body.len(), "Expect: 100-continue\r\n");
    stream.write_all(head.as_bytes()).expect("the head is sent");
    let mut stream = BufReader::new(stream);
    for wanted in ["HTTP/1.1 100 Continue\r\n", "\r\n"] {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        assert_eq!(line, wanted);
    }
    let (half, rest) = body.split_at(body.len() / 2);
    stream.get_mut().write_all(half.as_bytes()).expect("a half is sent");
    (stream, rest.to_owned())
}

fn head(address: &str, length: usize, more: &str) -> String {
    format!(
        "POST /readings HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-ndjson\r\n{more}\r\n"
    )
}

#[test]
fn a_body_that_is_cut_stores_nothing() {
    let server = TestServer::start();
    let address = server.url().trim_start_matches("http://").to_owned();
    let reading = |second| NewReading { device: "cut".into(), kind: TYPES[0], second, value: 20 };
    let readings: Vec<NewReading> = (START..START + 500).map(reading).collect();
    let text = lines(&readings);
    let packed = packed(&text);
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    let chunked = head(&address, 0, "Transfer-Encoding: chunked\r\n");
    let chunked = chunked.replace("Content-Length: 0\r\n", "");

    let whole = head(&address, text.len() + 1, "");
    let gzip = head(&address, packed.len() + 1, "Content-Encoding: gzip\r\n");
    let cases: [(&str, &[u8]); 6] = [
        (&whole, text.as_bytes()),
        (&whole, &text.as_bytes()[..text.len() / 2]),
        (&gzip, &packed),
        (&gzip, &packed[..packed.len() / 2]),
        (&chunked, chunk.as_bytes()),
        (&chunked, &chunk.as_bytes()[..chunk.len() / 2]),
    ];
    let nothing = Known::default();
    let device = Some("cut".into());
    let question = Question { device, kind: TYPES[0], start: None, end: None };
    for (head, body) in cases {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        stream.write_all(head.as_bytes()).expect("the head is sent");
        stream.write_all(body).expect("a part of the body is sent");
        stream.shutdown(Shutdown::Write).expect("no more is sent");
        // The server is done with it when it has closed the connection.
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an end");
        assert!(!answer.starts_with("HTTP/1.1 2"), "{head}{answer}");
        nothing.check_summary(&server, &question);
    }
    server.restart();
    nothing.check_summary(&server, &question);
    server.send_readings(&readings);
    let mut known = nothing;
    known.take(&readings);
    known.check_summary(&server, &question);
}
