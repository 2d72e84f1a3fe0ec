//! `canary release`: versions of a product, and what becomes of them.

use canary_client::{Band, Client, Decision, Latest, NewRelease, Policy, Release};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

mod watch;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0
  canary release watch --product etl --version 1.5.0
  canary release decisions --product etl --version 1.5.0
  canary release rollback --product etl --version 1.5.0 --reason 'customers complain'";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Registers a version of a product, as a canary unless --stable is given
    Create(Create),
    /// Lists the releases of a product, the newest first
    List(List),
    /// Shows a release, where it stands and what its runs showed
    Show(Show),
    /// Asks which version to run
    Latest(LatestOf),
    /// Makes a canary the version that everybody gets
    Promote(Order),
    /// Takes a canary back
    Rollback(Order),
    /// Stops handing a canary out until it is resumed
    Pause(Order),
    /// Hands a paused canary out again
    Resume(Order),
    Watch(watch::Watch),
    /// Lists all that was decided about a release, and why
    #[command(visible_alias = "explain")]
    Decisions(Decisions),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release create --artifact-url https://registry.example/etl --semver-version 1.4.0 --stable
  canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0 \\
      --canary-period 0.5 --threshold 95 --min-signals 30")]
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
    #[arg(long, value_name = "PERCENT")]
    threshold: Option<f64>,
    /// How long it is on trial, in days, fractions included [default: 2]
    #[arg(long, value_name = "DAYS")]
    canary_period: Option<f64>,
    /// In how many steps it widens, 1 to 100 [default: 5]
    #[arg(long, value_name = "COUNT")]
    band_count: Option<u16>,
    /// When the first step begins, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    release_date: Option<String>,
    /// How the success rate is judged [default: threshold]
    #[arg(long, value_parser = PossibleValuesParser::new(["threshold", "ratio"]))]
    rule: Option<String>,
    /// How many runs make a verdict at the end of the period [default: 1]
    #[arg(long, value_name = "COUNT")]
    min_signals: Option<u32>,
    /// What follows when there are fewer [default: hold]
    #[arg(long, value_parser = PossibleValuesParser::new(["hold", "promote", "rollback"]))]
    on_insufficient: Option<String>,
    /// What a newer release does to this one while it runs [default: promote_if_healthy]
    #[arg(long, value_parser = PossibleValuesParser::new(["promote_if_healthy", "abort", "reject"]))]
    on_supersede: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release list etl
  canary release list https://registry.example/etl --limit 3 --output json")]
pub(crate) struct List {
    /// The product's name, id or artifact URL
    product: String,
    /// The most releases to list
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

/// Which release is meant: its id, or its product and version.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The release's id
    #[arg(
        value_name = "RELEASE_ID",
        required_unless_present = "product",
        conflicts_with_all = ["product", "version"]
    )]
    id: Option<String>,
    /// The product's name, id or artifact URL, instead of the release's id
    #[arg(long, value_name = "PRODUCT", requires = "version")]
    product: Option<String>,
    /// The version of that product
    #[arg(long, value_name = "VERSION", requires = "product")]
    version: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release show 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f
  canary release show --product etl --version 1.5.0")]
pub(crate) struct Show {
    #[command(flatten)]
    target: Target,
}

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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release decisions 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f
  canary release explain --product etl --version 1.5.0 --output json")]
pub(crate) struct Decisions {
    #[command(flatten)]
    target: Target,
}

/// What is answered to a new release.
#[derive(Serialize)]
struct Created {
    id: String,
}

pub(crate) fn run(
    command: Command,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        Command::Create(create) => {
            let version = create.semver_version.clone();
            let created = Created { id: client.create_release(&create.into())? };
            output.show(&created, |created| format!("registered {version} as {}", created.id))?;
        }
        Command::List(List { product, limit }) => {
            let releases: Vec<Release> =
                client.releases(&product).take(limit).collect::<Result<_, _>>()?;
            output.show(&releases, |releases| table(releases))?;
        }
        Command::Show(Show { target }) => {
            output.show(&client.release(&target.id(client)?)?, details)?;
        }
        Command::Latest(asked) => output.show(&asked.ask(client)?, latest_line)?,
        Command::Promote(order) => order.give(client, Client::promote, output)?,
        Command::Rollback(order) => order.give(client, Client::rollback, output)?,
        Command::Pause(order) => order.give(client, Client::pause, output)?,
        Command::Resume(order) => order.give(client, Client::resume, output)?,
        Command::Watch(watch) => return watch.run(client, output),
        Command::Decisions(Decisions { target }) => {
            output
                .show(&client.decisions(&target.id(client)?)?, |decisions| timeline(decisions))?;
        }
    }
    Ok(Ending::Done)
}

impl From<Create> for NewRelease {
    fn from(create: Create) -> Self {
        let policy = create.policy();
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
        if policy != Policy::default() {
            release = release.policy(policy);
        }
        release
    }
}

impl Create {
    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        if let Some(rule) = &self.rule {
            policy = policy.rule(rule);
        }
        if let Some(count) = self.min_signals {
            policy = policy.min_signals(count);
        }
        if let Some(action) = &self.on_insufficient {
            policy = policy.on_insufficient(action);
        }
        if let Some(action) = &self.on_supersede {
            policy = policy.on_supersede(action);
        }
        policy
    }
}

impl Target {
    /// The id of the release that is meant.
    fn id(&self, client: &Client) -> Result<String, Failure> {
        // clap has seen to it that there is an id or both of the others.
        let (product, version) = match (&self.id, &self.product, &self.version) {
            (Some(id), ..) => return Ok(id.clone()),
            (None, Some(product), Some(version)) => (product, version),
            _ => return Err(Failure::usage("give a release id, or --product and --version")),
        };
        for release in client.releases(product) {
            let release = release?;
            if release.semver_version == *version {
                return Ok(release.id);
            }
        }
        Err(Failure::refused(format!("product `{product}` has no release `{version}`"))
            .hint(format!("`canary release list {product}` shows what there is")))
    }
}

impl LatestOf {
    fn ask(&self, client: &Client) -> Result<Latest, Failure> {
        Ok(match &self.run_id {
            Some(run) => client.latest_for_run(&self.product, run)?,
            None => client.latest(&self.product, self.instance_id.as_deref())?,
        })
    }
}

impl Order {
    fn give(
        &self,
        client: &Client,
        order: impl Fn(&Client, &str, &str) -> canary_client::Result<Release>,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let release = order(client, &self.target.id(client)?, &self.reason)?;
        output.show(&release, |release| format!("{} is {}", release.semver_version, release.state))
    }
}

fn latest_line(latest: &Latest) -> String {
    let kind = if latest.is_canary { "canary" } else { "stable" };
    let band = latest.band.map(|band| format!(", band {band}")).unwrap_or_default();
    format!("{} ({kind}{band}, {})", latest.semver_version, latest.reason)
}

fn table(releases: &[Release]) -> String {
    if releases.is_empty() {
        return "no releases".to_owned();
    }
    let row = |release: &Release| {
        vec![
            release.semver_version.clone(),
            release.state.clone(),
            band_of(release),
            output::or_dash(release.share.map(output::percent)),
            release.signals.success.to_string(),
            release.signals.failed.to_string(),
            release.id.clone(),
        ]
    };
    let names = ["VERSION", "STATE", "BAND", "SHARE", "SUCCESS", "FAILED", "ID"];
    let right = ["BAND", "SHARE", "SUCCESS", "FAILED"];
    output::columns(&names, &right, releases.iter().map(row))
}

/// "2 of 5", or a dash for a release that is not on trial.
fn band_of(release: &Release) -> String {
    output::or_dash(release.band.map(|band| format!("{band} of {}", release.band_count)))
}

fn details(release: &Release) -> String {
    let signals = &release.signals;
    let runs = output::succeeded(signals.success, signals.failed);
    let mut entries = vec![
        ("product", release.product.name.clone()),
        ("version", release.semver_version.clone()),
        ("state", release.state.clone()),
        ("runs", format!("{runs}, {} neutral", signals.neutral)),
        ("threshold", format!("{} %", release.threshold)),
    ];
    if release.is_canary {
        entries.extend([
            ("band", band_of(release)),
            ("share", output::or_dash(release.share.map(output::percent))),
            ("next band at", output::or_dash(release.next_band_at.as_ref())),
            ("canary period", output::period(release.canary_period)),
        ]);
    }
    entries.extend([("release date", release.release_date.clone()), ("id", release.id.clone())]);
    if let Some(verdict) = &release.verdict {
        entries.push(("verdict", verdict.sentence.clone()));
    }
    let mut text = output::pairs(entries);
    if !release.bands.is_empty() {
        text = format!("{text}\n\n{}", bands(&release.bands));
    }
    text
}

fn bands(bands: &[Band]) -> String {
    let row = |band: &Band| {
        vec![
            band.number.to_string(),
            output::percent(band.share),
            output::succeeded(band.canary.success, band.canary.failed),
            output::succeeded(band.stable.success, band.stable.failed),
            output::or_dash(band.starts_at.as_ref()),
        ]
    };
    let names = ["BAND", "SHARE", "CANARY", "STABLE", "STARTS AT"];
    output::columns(&names, &["BAND", "SHARE"], bands.iter().map(row))
}

fn timeline(decisions: &[Decision]) -> String {
    match decisions {
        [] => "nothing was decided yet".to_owned(),
        decisions => decisions.iter().map(decision_line).collect::<Vec<_>>().join("\n"),
    }
}

/// "2031-05-07T10:00:00Z  promote  promoted 1.5.0: …".
fn decision_line(decision: &Decision) -> String {
    format!("{}  {:<9}  {}", decision.at, decision.action, decision.sentence)
}

#[cfg(test)]
mod tests;
