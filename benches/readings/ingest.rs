//! Readings into a server, and what they cost it.

use std::path::Path;
use std::time::Duration;

use canary_benches::Failure;
use canary_benches::server::{Server, own_busy};

use crate::backlog::{self, Backlog};
use crate::disk::{self, Disk};
use canary_benches::bulk::{self, Load, Sent};
use canary_benches::fleet::Shape;
use canary_benches::post::Writer;

/// What one load brought, and what it cost.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) title: &'static str,
    pub(crate) sent: Sent,
    /// Processor time of the server, without what it did after the load.
    pub(crate) server_busy: Duration,
    pub(crate) generator_busy: Duration,
    /// The most resident memory there ever was.
    pub(crate) peak_kib: u64,
    /// Without what was written after the load.
    pub(crate) written_bytes: u64,
    pub(crate) aftermath: Option<Aftermath>,
}

/// What became of the readings later.
#[derive(Debug)]
pub(crate) struct Aftermath {
    pub(crate) backlog: Backlog,
    /// During the load and after it.
    pub(crate) written_bytes: u64,
    pub(crate) peak_kib: u64,
    pub(crate) disk: Disk,
}

impl Ingest {
    /// A figure of all readings, for each of them.
    pub(crate) fn each(&self, sum: f64) -> f64 {
        sum / self.sent.readings as f64
    }
}

/// Against a server that looks at nothing.
pub(crate) async fn ceiling(directory: &Path, time: Duration) -> Result<Ingest, Failure> {
    let load = Load::unpaced(time);
    let stub = Server::stub(directory, load.readings)?;
    measure("a server that parses nothing", &stub, Shape::EASY, load).await
}

/// Against Canary with a database of its own.
pub(crate) async fn canary(
    title: &'static str,
    directory: &Path,
    shape: Shape,
    load: Load,
) -> Result<Ingest, Failure> {
    let canary = Server::canary(directory)?;
    let mut ingest = measure(title, &canary, shape, load).await?;
    let backlog = backlog::wait(canary.address()).await?;
    let (written_bytes, peak_kib) = (canary.written_bytes()?, canary.memory()?.peak_kib);
    canary.stop()?;
    let disk = disk::measure(directory)?;
    ingest.aftermath = Some(Aftermath { backlog, written_bytes, peak_kib, disk });
    Ok(ingest)
}

async fn measure(
    title: &'static str,
    server: &Server,
    shape: Shape,
    load: Load,
) -> Result<Ingest, Failure> {
    let writer = Writer::new(shape);
    let (server_before, own_before) = (server.busy()?, own_busy()?);
    let written_before = server.written_bytes()?;
    let sent = bulk::send(&[server.address()], writer, load).await?;
    println!("{title}: {:.2} M readings/s", sent.per_second() / 1e6);
    Ok(Ingest {
        title,
        sent,
        server_busy: server.busy()?.saturating_sub(server_before),
        generator_busy: own_busy()?.saturating_sub(own_before),
        peak_kib: server.memory()?.peak_kib,
        written_bytes: server.written_bytes()? - written_before,
        aftermath: None,
    })
}
