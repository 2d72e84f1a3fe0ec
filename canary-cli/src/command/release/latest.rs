//! `canary release latest`: which version to run.

use canary_client::{Client, Latest};
use clap::Args;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release latest etl
  canary release latest etl --instance-id web-3
  docker run registry.example/etl:$(canary release latest etl --output json | jq -r .semver_version)")]
pub(crate) struct LatestOf {
    /// The product's name, id or artifact URL
    product: String,
    /// What will run it: the same instance keeps its canary while the canary widens
    #[arg(long, value_name = "ID", conflicts_with = "run_id")]
    instance_id: Option<String>,
    /// The run it is for: asking again for the same run gives the same answer
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
}

impl LatestOf {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let latest = match &self.run_id {
            Some(run) => client.latest_for_run(&self.product, run)?,
            None => client.latest(&self.product, self.instance_id.as_deref())?,
        };
        output.show(&latest, line)
    }
}

fn line(latest: &Latest) -> String {
    let kind = if latest.is_canary { "canary" } else { "stable" };
    let band = latest.band.map(|band| format!(", band {band}")).unwrap_or_default();
    format!("{} ({kind}{band}, {})", latest.semver_version, latest.reason)
}
