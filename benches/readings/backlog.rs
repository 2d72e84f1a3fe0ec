//! Readings that are durable, and not folded into chunks yet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use canary_benches::Failure;
use canary_benches::connection::{Connection, get};

const GAUGE: &str = "canary_readings_unfolded";

/// How long folding may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What has not changed for so long is left for later by intent: the hour that is still open.
const QUIET: Duration = Duration::from_secs(20);

/// How the backlog shrank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    /// Readings at the begin.
    pub(crate) begin: u64,
    /// Readings at the end.
    pub(crate) left: u64,
    /// Until the last change.
    pub(crate) took: Duration,
}

/// Waits until nothing is left, or nothing more happens.
pub(crate) async fn wait(address: SocketAddr) -> Result<Backlog, Failure> {
    let started = Instant::now();
    let first = unfolded(address).await?;
    let mut backlog = Backlog { begin: first, left: first, took: Duration::ZERO };
    while backlog.left > 0
        && started.elapsed() < PATIENCE
        && started.elapsed() - backlog.took < QUIET
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let left = unfolded(address).await?;
        if left != backlog.left {
            (backlog.left, backlog.took) = (left, started.elapsed());
        }
    }
    Ok(backlog)
}

/// Asks the server's own figures.
async fn unfolded(address: SocketAddr) -> Result<u64, Failure> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.exchange(&get("/metrics")).await?;
    let body = str::from_utf8(answer.body)?;
    let mut words = body.lines().filter_map(|line| line.split_once(' '));
    let value = words.find(|(name, _)| *name == GAUGE).map(|(_, value)| value.trim());
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| format!("no `{GAUGE}` in `/metrics`: {answer}").into())
}
