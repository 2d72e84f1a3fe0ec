//! Rounds of load, and what is said of them.

use std::time::Duration;

use crate::Failure;
use crate::connection::get;
use crate::figures::Latencies;
use crate::load::{self, Bounds, Requests, Tally};
use crate::server::{Server, own_busy};

/// Requests in flight, one on each connection, where nothing else is said.
pub const CONNECTIONS: u64 = 64;

/// How many rounds, how long each, and on how many connections.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    pub connections: u64,
    pub pairs: u32,
    pub warm_up: Duration,
    pub measured: Duration,
}

/// What is asked of ours in pairs of rounds.
pub struct Asked<'a> {
    /// For the line that each pair prints.
    pub name: &'a str,
    pub requests: Requests,
    /// Gives the number of the first request of the next round.
    pub first_number: &'a dyn Fn() -> u64,
}

/// One round against one server.
#[derive(Debug, Clone)]
pub struct Round {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// What the server computed for one request, in µs of processor time.
    pub server_us: f64,
    /// The part of one processor that the generator took, from 0 to 1.
    pub generator: f64,
    pub errors: u64,
    pub first_error: Option<String>,
}

/// A round against the hello, and the one against Canary that followed.
#[derive(Debug, Clone)]
pub struct Pair {
    pub hello: Round,
    pub ours: Round,
}

impl Pair {
    pub fn ratio(&self) -> f64 {
        self.ours.per_second / self.hello.per_second
    }
}

impl Rounds {
    /// For figures to be told.
    pub const FULL: Self = Self {
        connections: CONNECTIONS,
        pairs: 5,
        warm_up: Duration::from_secs(1),
        measured: Duration::from_secs(3),
    };

    /// For a look.
    pub const QUICK: Self = Self {
        connections: CONNECTIONS,
        pairs: 3,
        warm_up: Duration::from_millis(300),
        measured: Duration::from_secs(1),
    };

    /// The hello alone.
    pub async fn alone(&self, hello: &Server) -> Result<Vec<Round>, Failure> {
        let mut rounds = Vec::new();
        for _ in 0..self.pairs {
            rounds.push(self.greet(hello).await?);
        }
        Ok(rounds)
    }

    /// One round against the hello.
    pub async fn greet(&self, hello: &Server) -> Result<Round, Failure> {
        self.round(&[hello], &greeting(), 0).await
    }

    /// Hello, ours, hello, ours, …; each round of ours begins with the number it is given.
    pub async fn pairs(
        &self,
        hello: &Server,
        ours: &Server,
        asked: &Asked<'_>,
    ) -> Result<Vec<Pair>, Failure> {
        let mut pairs = Vec::new();
        for _ in 0..self.pairs {
            let hello = self.greet(hello).await?;
            let ours = self.round(&[ours], &asked.requests, (asked.first_number)()).await?;
            println!(
                "{:<7} hello {:>7.0}/s, ours {:>7.0}/s, ratio {:.2}",
                asked.name,
                hello.per_second,
                ours.per_second,
                ours.per_second / hello.per_second
            );
            pairs.push(Pair { hello, ours });
        }
        Ok(pairs)
    }

    /// One round, its requests numbered from this number on.
    pub async fn round(
        &self,
        servers: &[&Server],
        requests: &Requests,
        first: u64,
    ) -> Result<Round, Failure> {
        let bounds = Bounds {
            connections: self.connections,
            numbers: (first, u64::MAX),
            warm_up: self.warm_up,
            measured: self.measured,
        };
        let (server_before, own_before) = (busy(servers)?, own_busy()?);
        let addresses: Vec<_> = servers.iter().map(|server| server.address()).collect();
        let tally = load::drive(&addresses, requests, bounds).await;
        let server_busy = busy(servers)?.saturating_sub(server_before);
        let own_busy = own_busy()?.saturating_sub(own_before);
        let whole = self.warm_up + self.measured;
        Ok(Round {
            server_us: server_busy.as_secs_f64() * 1e6 / tally.answered.max(1) as f64,
            generator: own_busy.as_secs_f64() / whole.as_secs_f64(),
            ..Round::of(tally, self.measured)
        })
    }
}

impl Round {
    fn of(tally: Tally, measured: Duration) -> Self {
        let Tally { latencies_us, errors, first_error, .. } = tally;
        let latencies = Latencies::of(latencies_us);
        Self {
            per_second: latencies.count() as f64 / measured.as_secs_f64(),
            p50_ms: latencies.at_ms(0.5),
            p99_ms: latencies.at_ms(0.99),
            max_ms: latencies.max_ms(),
            server_us: 0.0,
            generator: 0.0,
            errors,
            first_error,
        }
    }
}

/// How long they have kept processors busy since they began.
fn busy(servers: &[&Server]) -> Result<Duration, Failure> {
    servers.iter().map(|server| server.busy()).sum()
}

fn greeting() -> Requests {
    let bytes = get("/");
    let requests = Requests::answered(200, move |_, request| request.extend_from_slice(&bytes));
    Requests { accepts: |body| body == b"hello", ..requests }
}
