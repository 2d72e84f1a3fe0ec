//! The command line: what can be asked, and who answers.

use std::io::{self, Write};
use std::process::ExitCode;

use canary_client::{Client, ClientBuilder};
use clap::{Args, Parser, Subcommand};

use crate::failure::{Ending, Failure};
use crate::output::{Format, Output};

mod audit;
mod db;
mod demo;
mod import;
mod key;
mod organization;
mod policy;
mod product;
mod reading;
mod release;
mod serve;
mod signal;
mod time;

const EXAMPLES: &str = "\
Examples:
  canary demo
  canary serve --api-port 8080
  canary product create --name etl --repository-url https://git.example/etl \\
      --artifact-url https://registry.example/etl
  canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0
  canary release latest etl
  canary signal create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --instance-id run-17 --status success --description 'all rows loaded'
  canary reading create --device greenhouse-7 --type temperature --value 22

Exit codes: 0 done, 1 refused, 2 wrong use, 75 try again later.";

/// Canary releases: hands new versions out step by step, watches their runs, and decides.
#[derive(Debug, Parser)]
#[command(name = "canary", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Above what every command takes.
const HEADING: &str = "Options of every command";

#[derive(Debug, Args)]
struct Common {
    /// The server to ask; CANARYPY_URL is read if that is absent [default: http://localhost:8080]
    #[arg(long, global = true, env = "CANARY_URL", hide_env_values = true, help_heading = HEADING)]
    url: Option<String>,
    /// Proves to the server who asks
    #[arg(long, global = true, env = "CANARY_TOKEN", hide_env_values = true, help_heading = HEADING)]
    token: Option<String>,
    /// The form of the answer
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, help_heading = HEADING)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    /// The API under the name that CanaryPy gives it
    #[command(subcommand, after_help = "Examples:\n  canary api start")]
    Api(serve::Api),
    /// The dashboard under the name that CanaryPy gives it
    #[command(subcommand, after_help = "Examples:\n  canary web start --api-port 8081")]
    Web(serve::Web),
    /// The schema of the server's database
    #[command(subcommand, after_help = db::EXAMPLES)]
    Db(db::Command),
    /// Keys: who may do what
    #[command(subcommand, after_help = key::EXAMPLES)]
    Key(key::Command),
    /// Organizations: who has everything of their own, and sees nothing of others
    #[command(subcommand, after_help = organization::EXAMPLES)]
    Org(organization::Command),
    #[command(flatten)]
    Client(ClientCommand),
}

/// What asks a server.
#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Products: what has versions
    #[command(subcommand, after_help = product::EXAMPLES)]
    Product(product::Command),
    /// Releases: versions of a product, and what becomes of them
    #[command(subcommand, after_help = release::EXAMPLES)]
    Release(release::Command),
    /// Signals: how runs ended
    #[command(subcommand, after_help = signal::EXAMPLES)]
    Signal(signal::Command),
    /// Readings: what devices measured
    #[command(subcommand, after_help = reading::EXAMPLES)]
    Reading(reading::Command),
    /// The audit: who did what, when and from where
    #[command(subcommand, after_help = audit::EXAMPLES)]
    Audit(audit::Command),
}

/// Reads the command line, does what it says, and tells how it ended.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut stdout = io::stdout();
    let mut output = Output::new(cli.common.output, &mut stdout);
    match run(cli, &mut output) {
        Ok(ending) => ending.into(),
        Err(failure) => {
            // There is no one left to tell if standard error is closed too.
            let _ = io::stderr().write_all(failure.text().as_bytes());
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli, output: &mut Output<'_>) -> Result<Ending, Failure> {
    match cli.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Api(api) => api.run(),
        Command::Web(web) => web.run(),
        Command::Db(command) => db::run(command, output),
        Command::Key(command) => key::run(command, output),
        Command::Org(command) => organization::run(command, output),
        Command::Client(command) => ask(command, &cli.common.client()?, output),
    }
}

fn ask(
    command: ClientCommand,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        ClientCommand::Product(command) => product::run(command, client, output),
        ClientCommand::Release(command) => release::run(command, client, output),
        ClientCommand::Signal(command) => signal::run(command, client, output),
        ClientCommand::Reading(command) => reading::run(command, client, output),
        ClientCommand::Audit(command) => audit::run(command, client, output),
    }
}

impl Common {
    fn client(&self) -> Result<Client, Failure> {
        let mut builder = ClientBuilder::from_environment()
            .user_agent(concat!("canary-cli/", env!("CARGO_PKG_VERSION")));
        // A variable that is empty counts as absent.
        if let Some(url) = self.url.as_deref().filter(|url| !url.is_empty()) {
            builder = builder.url(url);
        }
        if let Some(token) = self.token.as_deref().filter(|token| !token.is_empty()) {
            builder = builder.token(token);
        }
        Ok(builder.build()?)
    }
}

/// Makes a pair of `--flag name=value`.
fn name_and_value(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err("must be of the form name=value".to_owned()),
    }
}

/// The known name that is most like a word, if one is like it.
fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LIKE: f64 = 0.6;
    let word = word.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        // `version` is a part of `semver_version`, and by its letters nearer to `description`.
        if name.contains(&word) { 1.0 } else { strsim::jaro_winkler(&word, &name) }
    };
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
