//! `canary demo`: a server, a good and a bad canary, and what becomes of them, before your eyes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use canary_server::{Server, Settings, Sources, clock, telemetry};
use clap::Args;

use super::serve::block_on;
use crate::failure::{Ending, Failure};
use crate::output::{Format, Output};

mod story;

/// Runs a server on a temporary database, with a good and a bad canary before your eyes
///
/// Simulated instances ask which version to run and report how it went. It takes about twenty
/// seconds, ends by itself, and leaves nothing behind.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary demo
  canary demo --keep")]
pub(crate) struct Demo {
    /// Leave the server running after the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<Ending, Failure> {
        let folder = tempfile::tempdir()?;
        let settings = settings(folder.path())?;
        telemetry::init(&settings.log_level).map_err(Failure::usage)?;
        block_on(async {
            let server = canary_server::start(&settings, Arc::new(clock::System))
                .await
                .map_err(|error| Failure::refused(error.to_string()))?;
            self.tell(server).await
        })
    }

    /// Tells the story on a thread of its own, so that Ctrl-C is heard meanwhile.
    async fn tell(&self, server: Server) -> Result<Ending, Failure> {
        let url = server.url();
        let stop = Arc::new(AtomicBool::new(false));
        let (story_url, story_stop) = (url.clone(), Arc::clone(&stop));
        let mut story = tokio::task::spawn_blocking(move || {
            let mut stdout = std::io::stdout();
            let mut output = Output::new(Format::Table, &mut stdout);
            story::tell(&story_url, &story_stop, &mut output)
        });
        let (told, is_interrupted) = tokio::select! {
            told = &mut story => (told, false),
            _ = tokio::signal::ctrl_c() => {
                stop.store(true, Ordering::Relaxed);
                (story.await, true)
            }
        };
        let stopped = if self.keep && !is_interrupted {
            println!("\nThe server is still at {url}, Ctrl-C stops it.");
            server.run_until_signal().await
        } else {
            server.stop().await
        };
        stopped.map_err(|error| Failure::refused(error.to_string()))?;
        told.map_err(|error| Failure::refused(error.to_string()))?
    }
}

/// A server that nobody else sees, whatever the environment says.
fn settings(folder: &Path) -> Result<Settings, Failure> {
    let database = format!("sqlite://{}?mode=rwc", folder.join("demo.db").display());
    // That everybody who reaches it may do everything is no warning here.
    let log_level = "warn,canary_server::server=error";
    let flags = [
        ("api_host", "127.0.0.1"),
        ("api_port", "0"),
        ("api_log_level", log_level),
        ("db_conn_string", &database),
    ];
    let flags = flags.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let sources = Sources { flags, environment: Vec::new(), file: None };
    Settings::load(&sources).map_err(|error| Failure::refused(error.to_string()))
}
