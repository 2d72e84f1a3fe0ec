//! `canary product policy`: how new releases of a product are judged.

use canary_client::{Client, Policy};
use clap::Args;

use crate::command::policy::{self, PolicyFlags};
use crate::failure::Failure;
use crate::output::Output;

/// Shows or sets how releases of a product are judged
///
/// Without a flag of the policy it shows all settings. With some it sets those, and what was set
/// before stays; --reset forgets that first. It holds for releases that are registered from now on,
/// where they say nothing of their own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary product policy etl
  canary product policy etl --min-signals 30 --at-end hold --holdback 0.1
  canary product policy etl --judge-measurement latency_ms=high_is_bad
  canary product policy etl --reset")]
pub(crate) struct PolicyOf {
    /// The product's name, id or artifact URL
    product: String,
    /// Forget what was set before, so that the defaults hold
    #[arg(long)]
    reset: bool,
    #[command(flatten)]
    policy: PolicyFlags,
}

impl PolicyOf {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let product = super::find(client, &self.product)?;
        let given = self.policy.given();
        let policy = match (&given, self.reset) {
            (None, false) => client.product_policy(&product.id)?,
            (_, true) => client.set_product_policy(&product.id, &given.unwrap_or_default())?,
            (Some(given), false) => {
                let set = policy::set_in(&client.product_policy(&product.id)?);
                client.set_product_policy(&product.id, &policy::over(&set, given))?
            }
        };
        output.show(&policy, |policy: &Policy| policy::table(policy))
    }
}
