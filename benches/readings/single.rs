//! One reading in each request, beside a bare poem.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use canary_benches::Failure;
use canary_benches::connection::put_post;
use canary_benches::load::Requests;
use canary_benches::rounds::{Asked, Pair, Rounds};
use canary_benches::server::Server;

use canary_benches::dice::device_name;
use canary_benches::fleet::START_S;

/// Devices that take turns.
const DEVICES: u64 = 10_000;

/// Seconds in which no round finishes more readings of one device.
const ROUND_S: u64 = 10_000;

/// Hello, ours, hello, ours, …
pub(crate) async fn measure(directory: &Path, rounds: &Rounds) -> Result<Vec<Pair>, Failure> {
    let hello = Server::hello(directory)?;
    let canary = Server::canary(directory)?;
    let round = AtomicU64::new(0);
    let asked = Asked {
        name: "single",
        requests: requests(),
        first_number: &|| round.fetch_add(1, Ordering::Relaxed) * DEVICES * ROUND_S,
    };
    let pairs = rounds.pairs(&hello, &canary, &asked).await?;
    canary.stop()?;
    let all = pairs.iter().flat_map(|pair| [&pair.hello, &pair.ours]);
    let error = all.filter_map(|round| round.first_error.clone()).next();
    error.map_or(Ok(pairs), |error| Err(error.into()))
}

/// Each device reports each second; its path is written before.
fn requests() -> Requests {
    let names: Vec<String> = (0..DEVICES).map(device_name).collect();
    let requests = Requests::answered(201, move |number, request| {
        let at = START_S + number / DEVICES;
        let value = 20 + at % 60;
        let body = format!(r#"{{"type":"temperature","value":{value},"date_created":{at}}}"#);
        let name = &names[(number % DEVICES) as usize];
        let path = format_args!("/devices/{name}/readings/");
        put_post(request, path, "application/json", &body);
    });
    Requests { accepts: |body| body == br#""success""#, ..requests }
}
