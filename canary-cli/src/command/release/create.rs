//! `canary release create`: a version of a product is registered.

use canary_client::{Client, NewRelease};
use canary_core::release::{BandCount, CanaryPeriod, Threshold};
use clap::Args;
use serde::Serialize;

use crate::command::policy::PolicyFlags;
use crate::failure::Failure;
use crate::output::Output;

/// Registers a version of a product, as a canary unless --stable is given
///
/// What is not said of its policy is as `canary product policy` says, and where that says nothing
/// as the defaults below.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release create --artifact-url https://registry.example/etl --semver-version 1.4.0 --stable
  canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --canary-period 0.5 --threshold 95 --min-signals 30
  canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --early-promotion --at-end hold --report-within 10m --judge-measurement latency_ms=high_is_bad")]
pub(crate) struct Create {
    /// The version, to the letter
    #[arg(long, value_name = "VERSION")]
    semver_version: String,
    /// Where the product's builds are found
    #[arg(long, value_name = "URL")]
    artifact_url: String,
    /// For everybody at once, not as a canary
    #[arg(long)]
    stable: bool,
    /// Register it without handing it out
    #[arg(long)]
    inactive: bool,
    /// Lowest acceptable success rate in percent, 0 to 100 [default: 80]
    #[arg(long, value_name = "PERCENT", value_parser = threshold)]
    threshold: Option<f64>,
    /// How long it is on trial, in days, fractions included [default: 2]
    #[arg(long, value_name = "DAYS", value_parser = canary_period)]
    canary_period: Option<f64>,
    /// In how many steps it widens, 1 to 100 [default: 5]
    #[arg(long, value_name = "COUNT", value_parser = band_count)]
    band_count: Option<u16>,
    /// When the first step begins, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    release_date: Option<String>,
    #[command(flatten)]
    policy: PolicyFlags,
}

/// What is answered to a new release.
#[derive(Serialize)]
struct Created {
    id: String,
}

impl Create {
    pub(super) fn run(self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let version = self.semver_version.clone();
        let created = Created { id: client.create_release(&self.into())? };
        output.show(&created, |created| format!("registered {version} as {}", created.id))
    }
}

impl From<Create> for NewRelease {
    fn from(create: Create) -> Self {
        let mut release = Self::new(create.artifact_url, create.semver_version)
            .is_canary(!create.stable)
            .is_active(!create.inactive);
        if let Some(threshold) = create.threshold {
            release = release.threshold(threshold);
        }
        if let Some(days) = create.canary_period {
            release = release.canary_period(days);
        }
        if let Some(count) = create.band_count {
            release = release.band_count(count);
        }
        if let Some(date) = create.release_date {
            release = release.release_date(date);
        }
        if let Some(policy) = create.policy.given() {
            release = release.policy(policy);
        }
        release
    }
}

/// A success rate in percent.
pub(super) fn threshold(text: &str) -> Result<f64, String> {
    let percent = text.parse().map_err(|_| "it must be a number of percent".to_owned())?;
    Threshold::parse(percent).map(Threshold::percent).map_err(|error| error.to_string())
}

/// A number of days.
pub(super) fn canary_period(text: &str) -> Result<f64, String> {
    let days = text.parse().map_err(|_| "it must be a number of days".to_owned())?;
    CanaryPeriod::parse(days).map(CanaryPeriod::days).map_err(|error| error.to_string())
}

/// A number of steps.
pub(super) fn band_count(text: &str) -> Result<u16, String> {
    let count = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
    BandCount::parse(count).map(BandCount::get).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use canary_client::Policy;
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        create: Create,
    }

    fn parse(line: &str) -> Result<NewRelease, clap::Error> {
        let line = format!("canary --semver-version 1.5.0 --artifact-url https://etl {line}");
        Line::try_parse_from(line.split_whitespace()).map(|line| line.create.into())
    }

    #[test]
    fn what_is_not_given_is_left_to_the_server() {
        let new = || NewRelease::new("https://etl", "1.5.0").is_canary(true).is_active(true);
        assert_eq!(parse("").unwrap(), new());
        let want = new().is_canary(false).policy(Policy::default().min_signals(30));
        assert_eq!(parse("--stable --min-signals 30").unwrap(), want);
        let want = new().threshold(99.5).canary_period(0.5).band_count(10).is_active(false);
        let line = "--threshold 99.5 --canary-period 0.5 --band-count 10 --inactive";
        assert_eq!(parse(line).unwrap(), want);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_limit() {
        let cases = [
            ("--threshold 120", "threshold is 120, it must be from 0 to 100 %"),
            ("--threshold high", "it must be a number of percent"),
            ("--canary-period 0", "canary_period is 0, it must be from 0.000001 to 3650 days"),
            ("--band-count 101", "band_count is 101, it must be from 1 to 100 bands"),
            ("--band-count 2.5", "it must be a whole number"),
        ];
        for (line, want) in cases {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(want), "{line}\n{error}");
        }
    }
}
