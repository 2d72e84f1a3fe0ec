//! `canary release`: versions of a product, and what becomes of them.

use canary_client::Client;
use clap::Subcommand;

use crate::failure::{Ending, Failure};
use crate::output::Output;

mod analysis;
mod create;
mod explain;
mod findings;
mod latest;
mod order;
mod show;
mod simulate;
mod target;
mod timeline;
mod watch;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0
  canary release watch --product etl --version 1.5.0
  canary release explain --product etl --version 1.5.0 --instance-id worker-7
  canary release simulate --product etl --version 1.5.0 --alpha 0.01
  canary release rollback --product etl --version 1.5.0 --reason 'customers complain'";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Box<create::Create>),
    /// Lists the releases of a product, or of all, the newest first
    List(show::List),
    /// Shows a release, where it stands and what its runs showed
    Show(show::Show),
    /// Asks which version to run
    Latest(latest::LatestOf),
    /// Makes a canary the version that everybody gets
    Promote(order::Order),
    /// Takes a canary back
    Rollback(order::Order),
    /// Stops handing a canary out until it is resumed
    Pause(order::Order),
    /// Hands a paused canary out again
    Resume(order::Order),
    Watch(watch::Watch),
    /// Lists all that was decided about a release, and why
    Decisions(timeline::Decisions),
    Explain(explain::Explain),
    Analysis(analysis::AnalysisOf),
    Simulate(Box<simulate::Simulate>),
}

pub(crate) fn run(
    command: Command,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        Command::Create(create) => create.run(client, output)?,
        Command::List(list) => list.run(client, output)?,
        Command::Show(show) => show.run(client, output)?,
        Command::Latest(asked) => asked.run(client, output)?,
        Command::Promote(order) => order.give(client, Client::promote, output)?,
        Command::Rollback(order) => order.give(client, Client::rollback, output)?,
        Command::Pause(order) => order.give(client, Client::pause, output)?,
        Command::Resume(order) => order.give(client, Client::resume, output)?,
        Command::Watch(watch) => return watch.run(client, output),
        Command::Decisions(decisions) => decisions.run(client, output)?,
        Command::Explain(explain) => explain.run(client, output)?,
        Command::Analysis(analysis) => analysis.run(client, output)?,
        Command::Simulate(simulate) => return simulate.run(client, output),
    }
    Ok(Ending::Done)
}

/// A release of a test, with the parts that `rest` says.
#[cfg(test)]
fn release_of_test(rest: &str) -> canary_client::Release {
    let text = format!(
        r#"{{"id":"01899999-0000-7000-8000-000000000001",
        "product":{{"id":"p1","name":"etl","repository_url":"","artifact_url":"https://etl"}},
        "semver_version":"1.5.0","is_canary":true,"is_active":true,"threshold":80.0,
        "canary_period":2.0,"band_count":5,"release_date":"2031-05-07T10:00:00Z",{rest}}}"#
    );
    serde_json::from_str(&text).unwrap()
}
