//! Load of many readings in each request, as fast as they are taken or at a given pace.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::connection::Connection;
use crate::figures::Latencies;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::post::{Post, Writer};

/// How long a request may take before all is given up, its retries included.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is sent, and how.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub connections: u32,
    /// In each request.
    pub readings: usize,
    /// Requests in all.
    pub posts: u64,
    /// No request begins later.
    pub time: Duration,
    /// From one request to the next, whether or not the one before was answered.
    pub interval: Option<Duration>,
}

impl Load {
    /// As fast as the answers come.
    pub const fn unpaced(time: Duration) -> Self {
        Self { connections: 8, readings: 10_000, posts: u64::MAX, time, interval: None }
    }

    /// The same on so many connections.
    pub const fn over(self, connections: u32) -> Self {
        Self { connections, ..self }
    }

    /// So many readings in a second.
    pub fn paced(per_second: u64, time: Duration) -> Self {
        let load = Self::unpaced(time.saturating_add(PATIENCE));
        let posts_per_second = per_second / load.readings as u64;
        let interval = Duration::from_secs_f64(1.0 / posts_per_second as f64);
        Self { posts: posts_per_second * time.as_secs(), interval: Some(interval), ..load }
    }

    /// So many readings, in requests as large as the API takes.
    pub fn amount(readings: u64) -> Self {
        const MOST: u64 = 100_000;
        let mut posts = readings.div_ceil(MOST);
        while !readings.is_multiple_of(posts) {
            posts += 1;
        }
        let load = Self::unpaced(Duration::from_secs(600));
        Self { connections: 2, readings: (readings / posts) as usize, posts, ..load }
    }
}

/// What was taken.
#[derive(Debug, Default)]
pub struct Sent {
    pub readings: u64,
    /// Until the last answer.
    pub elapsed: Duration,
    /// When each answer came, counted from the begin, and how many µs it took.
    ///
    /// At a given pace an answer takes its time from the moment at which the request was due.
    pub answers: Vec<(Duration, u32)>,
    /// How often the server was busy, and the request was sent again.
    pub refused: u64,
}

impl Sent {
    /// Readings.
    pub fn per_second(&self) -> f64 {
        self.readings as f64 / self.elapsed.as_secs_f64()
    }

    /// The same in one tenth of the time, from 0 to 9.
    pub fn per_second_of_tenth(&self, tenth: u32) -> f64 {
        let (from, until) = (self.elapsed * tenth / 10, self.elapsed * (tenth + 1) / 10);
        let within = self.answers.iter().filter(|(at, _)| *at > from && *at <= until);
        let each = self.readings as f64 / self.answers.len() as f64;
        within.count() as f64 * each / (until - from).as_secs_f64()
    }

    pub fn latencies(&self) -> Latencies {
        Latencies::of(self.answers.iter().map(|(_, latency_us)| *latency_us).collect())
    }
}

/// Sends readings of a fleet; the first answer that is not the wanted one ends it.
///
/// Several servers are sent to by turns of connections.
pub async fn send(addresses: &[SocketAddr], writer: Writer, load: Load) -> Result<Sent, Failure> {
    let writer = Mutex::new(writer);
    let begin = Instant::now();
    let ticks = load.interval.map(|interval| ticks(begin, interval, load.posts));
    let source = Arc::new(Source { writer, load, begin, next: AtomicU64::new(0), ticks });
    let mut workers = JoinSet::new();
    for address in addresses.iter().cycle().take(load.connections as usize) {
        workers.spawn(work(*address, source.clone()));
    }
    let mut sum = Sent::default();
    while let Some(sent) = workers.join_next().await {
        let sent = sent??;
        sum.answers.extend(sent.answers);
        sum.refused += sent.refused;
    }
    sum.readings = sum.answers.len() as u64 * load.readings as u64;
    sum.elapsed = sum.answers.iter().map(|(at, _)| *at).max().unwrap_or_default();
    Ok(sum)
}

/// What the connections share.
struct Source {
    writer: Mutex<Writer>,
    load: Load,
    begin: Instant,
    next: AtomicU64,
    /// One for each request that is due.
    ticks: Option<Arc<Semaphore>>,
}

impl Source {
    /// Prepares the next request, and waits until it is due; `None` at the end.
    async fn next(&self, post: &mut Post) -> Result<Option<Instant>, Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.load.posts || self.begin.elapsed() >= self.load.time {
            return Ok(None);
        }
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).fill(post);
        match (&self.ticks, self.load.interval) {
            (Some(ticks), Some(interval)) => {
                ticks.acquire().await?.forget();
                Ok(Some(due(self.begin, interval, number)))
            }
            _ => Ok(Some(Instant::now())),
        }
    }
}

async fn work(address: SocketAddr, source: Arc<Source>) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    let mut connection = Connection::open(address).await?;
    let mut post = Post::new(source.load.readings);
    while let Some(due) = source.next(&mut post).await? {
        let delivery = deliver(&mut connection, address, &post);
        sent.refused += tokio::time::timeout(PATIENCE, delivery).await.map_err(|_| {
            format!("{} readings were not taken within {PATIENCE:?}", post.count())
        })??;
        let latency_us = u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX);
        sent.answers.push((source.begin.elapsed(), latency_us));
    }
    Ok(sent)
}

/// Sends until it is taken; how often the server was busy before.
async fn deliver(
    connection: &mut Connection,
    address: SocketAddr,
    post: &Post,
) -> Result<u64, Failure> {
    let mut refused = 0;
    loop {
        let answer = connection.exchange(post.bytes()).await?;
        let wait_s = match answer.status {
            200 if accepted(answer.body) == Some(post.count() as u64) => return Ok(refused),
            503 => answer.retry_after_s.unwrap_or(1),
            _ => return Err(format!("`POST /readings` {answer}").into()),
        };
        refused += 1;
        tokio::time::sleep(Duration::from_secs(wait_s)).await;
        // A server that does not read all that it refuses must close.
        *connection = Connection::open(address).await?;
    }
}

/// How many readings are durable.
fn accepted(body: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(body).ok()?.get("accepted")?.as_u64()
}

/// Adds a permit whenever a request is due, more exactly than a runtime's timer does; ends with
/// the last one, or when nobody is there to take them.
fn ticks(begin: Instant, interval: Duration, posts: u64) -> Arc<Semaphore> {
    let permits = Arc::new(Semaphore::new(0));
    let taken = Arc::downgrade(&permits);
    std::thread::spawn(move || {
        for number in 0..posts {
            std::thread::sleep(due(begin, interval, number).duration_since(Instant::now()));
            let Some(permits) = taken.upgrade() else { return };
            permits.add_permits(1);
        }
    });
    permits
}

fn due(begin: Instant, interval: Duration, number: u64) -> Instant {
    begin + interval.mul_f64((number + 1) as f64)
}
