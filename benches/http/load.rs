//! The load generator: as little as can be between a request's bytes and its status.
//!
//! Keep-alive HTTP/1.1 over plain TCP, one request in flight per connection, answers with a
//! `Content-Length`.
//! One thread drives all connections, so that the server has the other processors to itself.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long an answer may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes the bytes of the request with this number.
pub(crate) type Write = Arc<dyn Fn(u64, &mut Vec<u8>) + Send + Sync>;

/// What is asked, and what must be answered.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) write: Write,
    pub(crate) status: u16,
    /// Looks at the body, where the status does not tell everything.
    pub(crate) accepts: fn(&[u8]) -> bool,
}

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) connections: u64,
    /// Number of the first request, and of the one after the last.
    pub(crate) numbers: (u64, u64),
    /// Requests that begin earlier are not measured.
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// All answered requests, also those of the warm-up.
    pub(crate) answered: u64,
    /// Of the measured ones, in µs; in no order.
    pub(crate) latencies_us: Vec<u32>,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
}

impl Tally {
    fn fail(&mut self, error: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(error);
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.latencies_us.extend(other.latencies_us);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }
}

/// Asks until the time is over or the numbers are used up.
pub(crate) async fn drive(address: SocketAddr, requests: &Requests, bounds: Bounds) -> Tally {
    let next = Arc::new(AtomicU64::new(bounds.numbers.0));
    let mut workers = JoinSet::new();
    for _ in 0..bounds.connections {
        workers.spawn(work(address, requests.clone(), bounds, next.clone()));
    }
    let mut sum = Tally::default();
    let limit = bounds.warm_up.saturating_add(bounds.measured).saturating_add(PATIENCE);
    let all = async {
        while let Some(tally) = workers.join_next().await {
            match tally {
                Ok(tally) => sum.add(tally),
                Err(error) => sum.fail(|| error.to_string()),
            }
        }
    };
    if tokio::time::timeout(limit, all).await.is_err() {
        sum.fail(|| format!("no answer within {PATIENCE:?}"));
    }
    sum
}

async fn work(
    address: SocketAddr,
    requests: Requests,
    bounds: Bounds,
    next: Arc<AtomicU64>,
) -> Tally {
    let mut tally = Tally::default();
    let mut connection = match Connection::open(address).await {
        Ok(connection) => connection,
        Err(error) => {
            tally.fail(|| format!("cannot connect: {error}"));
            return tally;
        }
    };
    let mut request = Vec::with_capacity(1024);
    let begin = Instant::now();
    let (from, until) = (begin + bounds.warm_up, begin + bounds.warm_up + bounds.measured);
    let mut before = begin;
    while before < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= bounds.numbers.1 {
            break;
        }
        request.clear();
        (requests.write)(number, &mut request);
        match connection.exchange(&request).await {
            Ok(answer) if answer.status == requests.status && (requests.accepts)(answer.body) => {
                tally.answered += 1;
            }
            Ok(Answer { status, body }) => {
                let body = &body[..body.len().min(500)];
                tally.fail(|| format!("answered {status}: {}", String::from_utf8_lossy(body)));
            }
            Err(error) => {
                tally.fail(|| format!("connection lost: {error}"));
                return tally;
            }
        }
        let after = Instant::now();
        if before >= from {
            let latency_us = after.duration_since(before).as_micros();
            tally.latencies_us.push(u32::try_from(latency_us).unwrap_or(u32::MAX));
        }
        before = after;
    }
    tally
}

struct Answer<'a> {
    status: u16,
    body: &'a [u8],
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends one request, and reads its whole answer.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(head) = Head::read(&self.answer)? {
                break head;
            }
        };
        let end = head.length + head.body_length;
        while self.answer.len() < end {
            self.read_more().await?;
        }
        if self.answer.len() > end {
            return Err(bad("more was answered than was asked"));
        }
        Ok(Answer { status: head.status, body: &self.answer[head.length..] })
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What is needed of the head of an answer.
struct Head {
    status: u16,
    /// With the empty line, in bytes.
    length: usize,
    body_length: usize,
}

impl Head {
    /// `None` while the head is not complete.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = str::from_utf8(&bytes[..end]).map_err(|_| bad("the head is no text"))?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let body_length = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok());
        match (status, body_length) {
            (Some(status), Some(body_length)) => {
                Ok(Some(Self { status, length: end + 4, body_length }))
            }
            _ => Err(bad("no status or no content length")),
        }
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
