//! What devices said in sum: how fast a summary of many readings is.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use canary_benches::Failure;
use canary_benches::connection::{Connection, get};
use canary_benches::figures::Latencies;
use canary_benches::server::Server;

use crate::backlog;
use canary_benches::bulk::{self, Load};
use canary_benches::dice::device_name;
use canary_benches::fleet::{START_S, Shape};
use canary_benches::post::Writer;

/// Numbers of devices that no fleet has.
const MANY: u64 = 1 << 30;
const YEAR: u64 = MANY + 1;

/// The simulated times follow each other as the loads do.
const MANY_START_S: u64 = START_S - 20_000_000;
const YEAR_START_S: u64 = START_S + 2_000_000;

/// How much is stored and asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Questions {
    pub(crate) idle: usize,
    /// How long it is asked beside other load.
    pub(crate) beside: Duration,
    /// Readings of a second device, one a second.
    pub(crate) year: u64,
    /// About those.
    pub(crate) of_year: usize,
}

/// Of summaries of one device, at one time.
#[derive(Debug)]
pub(crate) struct Summaries {
    pub(crate) title: &'static str,
    /// Readings that each summary sums up.
    pub(crate) readings: u64,
    pub(crate) latencies: Latencies,
}

/// Fills a server, and asks it.
pub(crate) async fn measure(
    directory: &Path,
    questions: &Questions,
) -> Result<Vec<Summaries>, Failure> {
    const MILLION: u64 = 1_000_000;
    let canary = Server::canary(directory)?;
    let address = canary.address();

    fill(address, Shape::single(MANY, MANY_START_S), MILLION).await?;
    let mut latencies = Vec::new();
    ask(address, MANY, MILLION, 100).await?;
    latencies.push(("idle", MILLION, ask(address, MANY, MILLION, questions.idle).await?));

    let beside = beside(address, questions.beside);
    let mut busy = Vec::new();
    while !beside.is_finished() {
        busy.extend(ask(address, MANY, MILLION, 10).await?);
    }
    let sent = beside.join().map_err(|_| "the load beside the questions panicked")??;
    println!("statistics: asked beside {:.0} readings/s, {} 503s", sent.per_second(), sent.refused);
    latencies.push(("beside 200 000 readings/s", MILLION, busy));

    fill(address, Shape::single(YEAR, YEAR_START_S), questions.year).await?;
    ask(address, YEAR, questions.year, 5).await?;
    let of_year = ask(address, YEAR, questions.year, questions.of_year).await?;
    latencies.push(("idle", questions.year, of_year));
    canary.stop()?;
    let summaries = |(title, readings, latencies_us)| Summaries {
        title,
        readings,
        latencies: Latencies::of(latencies_us),
    };
    Ok(latencies.into_iter().map(summaries).collect())
}

async fn fill(address: SocketAddr, shape: Shape, readings: u64) -> Result<(), Failure> {
    let load = Load::amount(readings);
    let sent = bulk::send(&[address], Writer::new(shape), load).await?;
    let stored = (sent.readings == readings).then_some(readings);
    let stored = stored.ok_or("not all readings were sent in ten minutes")?;
    let backlog = backlog::wait(address).await?;
    println!("statistics: {stored} readings of one device, {} of them unfolded", backlog.left);
    Ok(())
}

/// A load from a thread of its own, so that it does not hold up who asks.
fn beside(
    address: SocketAddr,
    time: Duration,
) -> std::thread::JoinHandle<Result<bulk::Sent, Failure>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let load = Load::paced(200_000, time);
        runtime.block_on(bulk::send(&[address], Writer::new(Shape::EASY), load))
    })
}

/// Asks one question after the other; how many µs each took.
async fn ask(
    address: SocketAddr,
    device: u64,
    readings: u64,
    count: usize,
) -> Result<Vec<u32>, Failure> {
    let name = device_name(device);
    let question = get(&format!("/devices/{name}/readings/summary?type=temperature"));
    let mut connection = Connection::open(address).await?;
    let mut latencies_us = Vec::with_capacity(count);
    for _ in 0..count {
        let asked = Instant::now();
        let answer = connection.exchange(&question).await?;
        let latency_us = asked.elapsed().as_micros();
        latencies_us.push(u32::try_from(latency_us).unwrap_or(u32::MAX));
        let summary: Option<serde_json::Value> = serde_json::from_slice(answer.body).ok();
        if answer.status != 200 || summary.is_none_or(|summary| summary["count"] != readings) {
            return Err(format!("summary of {readings} readings: {answer}").into());
        }
    }
    Ok(latencies_us)
}
