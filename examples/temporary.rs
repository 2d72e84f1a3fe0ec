//! A real server for the length of a story.

use std::error::Error;
use std::sync::Arc;

use canary_client::Client;
use canary_core::time::Timestamp;
use canary_server::{DatabaseUrl, Server, Settings, clock};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A server on a temporary database and a free port, a client of it, and the clock that both
/// believe: it stands at 1970 until it is moved.
pub(crate) struct TemporaryServer {
    pub(crate) client: Client,
    pub(crate) clock: clock::Manual,
    server: Server,
    runtime: Runtime,
    folder: TempDir,
}

impl TemporaryServer {
    /// Starts it.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("canary.db");
        let database = DatabaseUrl::new(format!("sqlite://{}?mode=rwc", file.display()));
        let settings = Settings { port: 0, database, ..Settings::default() };
        let clock = clock::Manual::at(Timestamp::from_seconds(0));
        let runtime = Runtime::new()?;
        let server = runtime.block_on(canary_server::start(&settings, Arc::new(clock.clone())))?;
        let client = Client::new(server.url())?;
        Ok(Self { client, clock, server, runtime, folder })
    }

    /// Stops it, and forgets what it stored.
    pub(crate) fn stop(self) -> Result<(), Box<dyn Error>> {
        self.runtime.block_on(self.server.stop())?;
        Ok(self.folder.close()?)
    }
}
