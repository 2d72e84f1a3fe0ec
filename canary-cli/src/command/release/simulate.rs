//! `canary release simulate`: what another policy would have done.

use canary_client::{Client, NewSimulation};
use canary_core::release as core;
use clap::Args;

use self::account::Account;
use self::file::RunsOfFile;
use super::create::{band_count, canary_period, threshold};
use super::target::Target;
use crate::command::policy::{PolicyFlags, in_core};
use crate::failure::{Ending, Failure};
use crate::output::Output;

mod account;
mod file;
mod replayed;

/// Shows what another policy would have done with the runs of a canary
///
/// Goes through the runs of a canary and of the version it was compared with, in the order and at
/// the times at which they arrived, with the very steps that a live canary takes. Nothing is
/// changed by it.
///
/// What is not said is as the release was registered. With --csv no server is asked: the runs are
/// those of a file, sorted by their time, the trial begins with the canary's first run, and what is
/// not said is as the defaults below (threshold 80, 5 bands over 2 days).
///
/// The columns of the file are those of `canary signal import`: semver_version (or version),
/// status and created_date are needed; instance_id and measurements.NAME are taken where they are.
///
/// What it cannot tell: the runs are those that were, also where the canary would have had fewer of
/// them, or more. Of a server's canary, readings, answers without a report and what operators did
/// are not gone through.
///
/// Exits with 1 if a row of the file cannot be read; the others are gone through all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release simulate --product etl --version 1.5.0 --alpha 0.01 --early-promotion
  canary release simulate --product etl --version 1.5.0 --threshold 99 --output json
  canary release simulate --csv runs.csv --canary 1.5.0 --stable 1.4.0 --canary-period 0.5
  zcat runs.*.csv.gz | canary release simulate --csv - --canary 1.5.0 --stable 1.4.0 \\
      --map status=state --map measurements.latency_ms=latency \\
      --judge-measurement latency_ms=high_is_bad")]
pub(crate) struct Simulate {
    /// The release's id
    #[arg(
        value_name = "RELEASE_ID",
        required_unless_present_any = ["product", "csv"],
        conflicts_with_all = ["product", "version", "csv"]
    )]
    id: Option<String>,
    /// The product's name, id or artifact URL, instead of the release's id
    #[arg(long, value_name = "PRODUCT", requires = "version", conflicts_with = "csv")]
    product: Option<String>,
    /// The version of that product
    #[arg(long, value_name = "VERSION", requires = "product", conflicts_with = "csv")]
    version: Option<String>,
    #[command(flatten)]
    runs: RunsOfFile,
    /// Lowest acceptable success rate in percent, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = threshold)]
    threshold: Option<f64>,
    /// How long it is on trial, in days, fractions included
    #[arg(long, value_name = "DAYS", value_parser = canary_period)]
    canary_period: Option<f64>,
    /// In how many steps it widens, 1 to 100
    #[arg(long, value_name = "COUNT", value_parser = band_count)]
    band_count: Option<u16>,
    #[command(flatten)]
    policy: PolicyFlags,
}

/// How a canary of a file is tried.
struct Trial {
    threshold: core::Threshold,
    canary_period: core::CanaryPeriod,
    band_count: core::BandCount,
    policy: canary_core::policy::Policy,
}

impl Simulate {
    pub(super) fn run(
        mut self,
        client: &Client,
        output: &mut Output<'_>,
    ) -> Result<Ending, Failure> {
        if let Some(file) = self.runs.csv.take() {
            let trial = self.trial()?;
            let replayed = self.runs.replay(&file, trial)?;
            output.show(&replayed, |replayed| Account::of_file(replayed).text())?;
            return Ok(if replayed.is_whole() { Ending::Done } else { Ending::Refused });
        }
        let simulation = self.simulation();
        let target = Target { id: self.id, product: self.product, version: self.version };
        let simulated = client.simulate(&target.id(client)?, &simulation)?;
        output.show(&simulated, |simulated| Account::of_server(simulated).text())?;
        Ok(Ending::Done)
    }

    /// What is to be other than it was registered.
    fn simulation(&self) -> NewSimulation {
        let mut simulation = NewSimulation::default();
        if let Some(policy) = self.policy.given() {
            simulation = simulation.policy(policy);
        }
        if let Some(percent) = self.threshold {
            simulation = simulation.threshold(percent);
        }
        if let Some(days) = self.canary_period {
            simulation = simulation.canary_period(days);
        }
        if let Some(count) = self.band_count {
            simulation = simulation.band_count(count);
        }
        simulation
    }

    /// The same for a file, where there is nothing that was registered.
    fn trial(&self) -> Result<Trial, Failure> {
        let refuse = |error: canary_core::value::ValueError| Failure::usage(error.to_string());
        let threshold = self.threshold.map(core::Threshold::parse).transpose();
        let canary_period = self.canary_period.map(core::CanaryPeriod::parse).transpose();
        let band_count = self.band_count.map(|count| core::BandCount::parse(count.into()));
        Ok(Trial {
            threshold: threshold.map_err(refuse)?.unwrap_or(core::Threshold::DEFAULT),
            canary_period: canary_period.map_err(refuse)?.unwrap_or(core::CanaryPeriod::DEFAULT),
            band_count: band_count.transpose().map_err(refuse)?.unwrap_or(core::BandCount::DEFAULT),
            policy: in_core(&self.policy.policy()).map_err(Failure::usage)?,
        })
    }
}

#[cfg(test)]
mod tests;
