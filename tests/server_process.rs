//! A server in a process of its own, to be killed by tests; its address is its first line.
//!
//! The first argument is the address of its database; the second, how many times faster than that of
//! the machine its clock runs: readings are folded when they have waited for seconds, some for
//! hours. The third, if there is one, is what it logs.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use canary_core::time::Timestamp;
use canary_server::clock::{Clock, Sleep, System};
use canary_server::{DatabaseUrl, Settings};

/// A clock that started with that of the machine, and runs faster.
struct Fast {
    started: Timestamp,
    since: Instant,
    times: u32,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        self.started.after(self.since.elapsed() * self.times)
    }

    fn sleep_until(&self, moment: Timestamp) -> Sleep<'_> {
        let wait = moment.since(self.now()) / self.times;
        Box::pin(tokio::time::sleep(wait.min(Duration::from_secs(60))))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = std::env::args().nth(1).ok_or("the address of the database is missing")?;
    let database = DatabaseUrl::new(database);
    let settings = Settings { port: 0, database, ..Settings::default() };
    let times = std::env::args().nth(2).map_or(Ok(1), |times| times.parse())?;
    if let Some(level) = std::env::args().nth(3) {
        canary_server::telemetry::init(&level)?;
    }
    let clock = Fast { started: System.now(), since: Instant::now(), times };
    let server = canary_server::start(&settings, Arc::new(clock)).await?;
    println!("{}", server.url());
    Ok(server.run_until_signal().await?)
}
