//! `canary serve`: API, dashboard and engine in one process.

use std::path::PathBuf;
use std::sync::Arc;

use canary_server::{Settings, Sources, clock, telemetry};
use clap::{Args, Subcommand};

use crate::failure::{Ending, Failure};

const EXAMPLES: &str = "\
Examples:
  canary serve
  canary serve --api-host 0.0.0.0 --api-port 80 \\
      --db-conn-string 'sqlite:///var/lib/canary.db?mode=rwc'
  canary serve --api-host 192.168.7.1 --insecure
  canary serve --role ingest --db-conn-string postgres://canary@db.example/canary
  CANARY_API_PORT=9000 canary serve --config /etc/canary.toml";

/// Serves the API and the dashboard, and decides when time has come
///
/// Every setting is also read from the environment (CANARY_API_PORT, else CANARYPY_API_PORT) and
/// from canary.toml (api_port); flags win over the environment, the environment over the file.
///
/// As long as there is no key, it answers to everybody, and only on a loopback address.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    api_host: Option<String>,
    /// Port to listen on, 0 for any free one [default: 8080]
    #[arg(long, value_name = "PORT")]
    api_port: Option<u16>,
    /// error, warn, info, debug or trace, or a filter [default: info]
    #[arg(long, value_name = "LEVEL")]
    api_log_level: Option<String>,
    /// Days that readings are kept, 1 to 36500; their summaries by the hour stay [default: for ever]
    #[arg(long, value_name = "DAYS")]
    readings_retention_days: Option<String>,
    /// Serve on any address although there is no key: whoever reaches it may do everything
    #[arg(long)]
    insecure: bool,
    /// What this server does of api, ingest, web and engine, with commas between [default: all]
    ///
    /// api answers and registers, ingest takes signals and readings in, web shows pages, engine
    /// does what time brings about. On PostgreSQL they can run apart; on a file web alone can.
    #[arg(long, value_name = "ROLES")]
    role: Option<String>,
    #[command(flatten)]
    database: Database,
}

/// Where the data is.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// Where everything is kept [default: sqlite://canary.db?mode=rwc]
    #[arg(long, value_name = "URL")]
    db_conn_string: Option<String>,
    /// File of settings [default: canary.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// `canary api`, as CanaryPy has it.
#[derive(Debug, Subcommand)]
pub(crate) enum Api {
    /// Serves everything but the dashboard: `canary serve --role api,ingest,engine`
    #[command(after_help = "\
Examples:
  canary api start
  canary api start --api-port 9000")]
    Start(Serve),
}

/// `canary web`, as CanaryPy has it.
#[derive(Debug, Subcommand)]
pub(crate) enum Web {
    /// Serves the dashboard alone: `canary serve --role web`
    #[command(after_help = "\
Examples:
  canary web start --api-port 8081")]
    Start(Serve),
}

impl Api {
    pub(crate) fn run(self) -> Result<Ending, Failure> {
        let Self::Start(serve) = self;
        serve.by_default_as("api,ingest,engine").run()
    }
}

impl Web {
    pub(crate) fn run(self) -> Result<Ending, Failure> {
        let Self::Start(serve) = self;
        serve.by_default_as("web").run()
    }
}

impl Serve {
    fn by_default_as(self, role: &str) -> Self {
        Self { role: self.role.or_else(|| Some(role.to_owned())), ..self }
    }

    pub(crate) fn run(self) -> Result<Ending, Failure> {
        let flags = [
            ("api_host", self.api_host),
            ("api_port", self.api_port.map(|port| port.to_string())),
            ("api_log_level", self.api_log_level),
            ("readings_retention_days", self.readings_retention_days),
            ("role", self.role),
            ("insecure", self.insecure.then(|| "true".to_owned())),
        ];
        let settings = self.database.settings(flags)?;
        telemetry::init(&settings.log_level).map_err(Failure::usage)?;
        block_on(async {
            let server = canary_server::start(&settings, Arc::new(clock::System))
                .await
                .map_err(|error| Failure::refused(error.to_string()))?;
            server.run_until_signal().await.map_err(|error| Failure::refused(error.to_string()))
        })?;
        Ok(Ending::Done)
    }
}

impl Database {
    /// The settings of a server, from these flags and `more`, the environment and the file.
    pub(crate) fn settings<const N: usize>(
        self,
        more: [(&str, Option<String>); N],
    ) -> Result<Settings, Failure> {
        let mut sources = Sources::of_this_process();
        let flags = more.into_iter().chain([("db_conn_string", self.db_conn_string)]);
        sources.flags = flags.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        sources.file = self.config.or(sources.file);
        Settings::load(&sources).map_err(|error| Failure::usage(error.to_string()))
    }
}

/// Runs a server's part of a command.
pub(crate) fn block_on<T>(part: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = canary_server::runtime()
        .map_err(|error| Failure::from(error).while_doing("cannot start threads"))?;
    runtime.block_on(part)
}
