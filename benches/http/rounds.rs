//! Rounds of load, and what is said of them.

use std::time::Duration;

use crate::Failure;
use crate::load::{self, Bounds, Requests, Tally};
use crate::server::{Server, own_busy};
use crate::traffic::{self, Scenario, get};

/// Requests in flight, one on each connection.
pub(crate) const CONNECTIONS: u64 = 64;

/// How many rounds, and how long each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) pairs: u32,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// One round against one server.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// What the server computed for one request, in µs of processor time.
    pub(crate) server_us: f64,
    /// The part of one processor that the generator took, from 0 to 1.
    pub(crate) generator: f64,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
}

/// A round against the hello, and the one against Canary that followed.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) hello: Round,
    pub(crate) ours: Round,
}

impl Pair {
    pub(crate) fn ratio(&self) -> f64 {
        self.ours.per_second / self.hello.per_second
    }
}

impl Rounds {
    /// The hello alone.
    pub(crate) async fn alone(&self, hello: &Server) -> Result<Vec<Round>, Failure> {
        let mut rounds = Vec::new();
        for _ in 0..self.pairs {
            rounds.push(self.round(hello, &greeting(), 0).await?);
        }
        Ok(rounds)
    }

    /// Hello, ours, hello, ours, …
    pub(crate) async fn pairs(
        &self,
        hello: &Server,
        canary: &Server,
        scenario: Scenario,
    ) -> Result<Vec<Pair>, Failure> {
        let mut pairs = Vec::new();
        traffic::check_choice(canary).await?;
        for _ in 0..self.pairs {
            let hello = self.round(hello, &greeting(), 0).await?;
            let ours = self.once(canary, scenario).await?;
            println!(
                "{:<7} hello {:>7.0}/s, ours {:>7.0}/s, ratio {:.2}",
                scenario.name(),
                hello.per_second,
                ours.per_second,
                ours.per_second / hello.per_second
            );
            pairs.push(Pair { hello, ours });
        }
        Ok(pairs)
    }

    /// One round against Canary.
    pub(crate) async fn once(&self, canary: &Server, scenario: Scenario) -> Result<Round, Failure> {
        self.round(canary, &scenario.requests(), scenario.first_number()).await
    }

    async fn round(
        &self,
        server: &Server,
        requests: &Requests,
        first: u64,
    ) -> Result<Round, Failure> {
        let bounds = Bounds {
            connections: CONNECTIONS,
            numbers: (first, u64::MAX),
            warm_up: self.warm_up,
            measured: self.measured,
        };
        let (server_before, own_before) = (server.busy()?, own_busy()?);
        let tally = load::drive(server.address(), requests, bounds).await;
        let server_busy = server.busy()?.saturating_sub(server_before);
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
        let Tally { mut latencies_us, errors, first_error, .. } = tally;
        latencies_us.sort_unstable();
        let at_ms = |rank: f64| {
            let index = (latencies_us.len() as f64 * rank) as usize;
            let latency_us = latencies_us.get(index).or(latencies_us.last());
            latency_us.map_or(f64::NAN, |latency_us| f64::from(*latency_us) / 1e3)
        };
        Self {
            per_second: latencies_us.len() as f64 / measured.as_secs_f64(),
            p50_ms: at_ms(0.5),
            p99_ms: at_ms(0.99),
            max_ms: at_ms(1.0),
            server_us: 0.0,
            generator: 0.0,
            errors,
            first_error,
        }
    }
}

fn greeting() -> Requests {
    let bytes = get("/");
    Requests {
        write: std::sync::Arc::new(move |_, request| request.extend_from_slice(&bytes)),
        status: 200,
        accepts: |body| body == b"hello",
    }
}

/// The middle one; of an even count the mean of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}
