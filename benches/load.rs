//! The load generator: as little as can be between a request's bytes and its status.
//!
//! One request is in flight on each connection.
//! One thread drives all connections, so that the server has the other processors to itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connection::Connection;

/// How long an answer may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes the bytes of the request with this number.
pub type Write = Arc<dyn Fn(u64, &mut Vec<u8>) + Send + Sync>;

/// What is asked, and what must be answered.
#[derive(Clone)]
pub struct Requests {
    pub write: Write,
    pub status: u16,
    /// Looks at the body, where the status does not tell everything.
    pub accepts: fn(&[u8]) -> bool,
}

impl Requests {
    /// Those of which the status tells everything.
    pub fn answered(
        status: u16,
        write: impl Fn(u64, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        Self { write: Arc::new(write), status, accepts: |_| true }
    }
}

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub connections: u64,
    /// Number of the first request, and of the one after the last.
    pub numbers: (u64, u64),
    /// Requests that begin earlier are not measured.
    pub warm_up: Duration,
    pub measured: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// All answered requests, also those of the warm-up.
    pub answered: u64,
    /// Of the measured ones, in µs; in no order.
    pub latencies_us: Vec<u32>,
    pub errors: u64,
    pub first_error: Option<String>,
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

/// Asks until the time is over or the numbers are used up, of several servers by turns of
/// connections.
pub async fn drive(addresses: &[SocketAddr], requests: &Requests, bounds: Bounds) -> Tally {
    let next = Arc::new(AtomicU64::new(bounds.numbers.0));
    let mut workers = JoinSet::new();
    for address in addresses.iter().cycle().take(bounds.connections as usize) {
        workers.spawn(work(*address, requests.clone(), bounds, next.clone()));
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
            Ok(answer) => tally.fail(|| answer.to_string()),
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
