//! `canary release promote`, `rollback`, `pause` and `resume`: what a person decides.

use canary_client::{Client, Release};
use clap::Args;

use super::target::Target;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release promote 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f --reason 'load test is green'
  canary release rollback --product etl --version 1.5.0 --reason 'customers complain'
  canary release pause --product etl --version 1.5.0 --reason 'waiting for the audit'
  canary release resume --product etl --version 1.5.0")]
pub(crate) struct Order {
    #[command(flatten)]
    target: Target,
    /// Why; it is stored with the decision
    #[arg(long, value_name = "TEXT", default_value = "ordered on the command line")]
    reason: String,
}

impl Order {
    pub(super) fn give(
        &self,
        client: &Client,
        order: impl Fn(&Client, &str, &str) -> canary_client::Result<Release>,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let release = order(client, &self.target.id(client)?, &self.reason)?;
        output.show(&release, |release| format!("{} is {}", release.semver_version, release.state))
    }
}
