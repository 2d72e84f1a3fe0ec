//! `canary release explain`: who gets which version, and why.

use canary_client::{Analysis, Client, Decision, Release};
use canary_core::signal::InstanceId;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use self::instance::InstanceExplained;
use self::scene::Scene;
use super::target::Target;
use crate::command::time;
use crate::failure::Failure;
use crate::output::Output;

mod instance;
mod scene;
mod text;

/// Says who gets which version, and why
///
/// Says where a release stands and what brought it there; for an instance, which version it gets
/// when it asks with its --instance-id, and why; then what the judge sees, and what is missing for
/// a verdict. Nothing is changed by it.
///
/// A salted hash puts each instance at a fixed place from 0 to 1 in each canary; it gets the canary
/// when that place is below the canary's share. A rule's evidence begins at 1, and the rule speaks
/// once it has reached 1 / alpha.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release explain --product etl --version 1.5.0
  canary release explain --product etl --version 1.5.0 --instance-id worker-7
  canary release explain --product etl --version 1.5.0 --instance-id worker-7 \\
      --at 2031-05-07T12:00:00Z --output json")]
pub(crate) struct Explain {
    #[command(flatten)]
    target: Target,
    /// Say which version this instance gets, and why
    #[arg(long, value_name = "ID", value_parser = instance)]
    instance_id: Option<InstanceId>,
    /// As it was at this time, in RFC 3339 or epoch seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::timestamp)]
    at: Option<Timestamp>,
}

fn instance(text: &str) -> Result<InstanceId, String> {
    InstanceId::parse(text).map_err(|error| error.to_string())
}

/// All that is said, in pieces.
#[derive(Serialize)]
struct Explanation {
    /// The time that it holds for, in RFC 3339; `None` for one that never was a canary, now.
    at: Option<String>,
    product: String,
    release: Name,
    /// The version that those get who do not get the canary.
    stable_version: Option<String>,
    /// The canary that is on its way.
    canary: Option<scene::Canary>,
    /// Who gets which version.
    sentence: String,
    /// What brought the release there.
    reason: Option<String>,
    instance: Option<InstanceExplained>,
    /// All that was decided up to that time.
    decisions: Vec<Decision>,
    /// What the judge sees now.
    analysis: Option<Analysis>,
    #[serde(skip)]
    is_past: bool,
}

#[derive(Serialize)]
struct Name {
    id: String,
    semver_version: String,
    /// Its state now.
    state: String,
}

impl Explain {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let id = self.target.id(client)?;
        let release = client.release(&id)?;
        let decisions = client.decisions(&id)?;
        // A release that never was a canary has no bands, and nothing to analyse.
        let was_canary = !release.bands.is_empty();
        let analysis = was_canary.then(|| client.analysis(&id)).transpose()?;
        if let (Some(at), Some(analysis)) = (self.at, &analysis) {
            refuse_future(at, &analysis.at)?;
        }
        let releases = client.releases(&release.product.id);
        let scene = match self.at {
            None => Scene::now(releases)?,
            Some(at) => Scene::past(at, releases, |other| match other == id {
                true => Ok(decisions.clone()),
                false => client.decisions(other),
            })?,
        };
        output.show(&self.explain(release, decisions, analysis, scene)?, text::of)
    }

    fn explain(
        &self,
        release: Release,
        decisions: Vec<Decision>,
        analysis: Option<Analysis>,
        scene: Scene,
    ) -> Result<Explanation, Failure> {
        let until = |decision: &Decision| match (self.at, time::timestamp(&decision.at)) {
            (Some(at), Ok(decided)) => decided <= at,
            _ => true,
        };
        let decisions: Vec<_> = decisions.into_iter().filter(until).collect();
        let instance = self.instance_id.as_ref();
        let instance =
            instance.map(|instance| instance::explain(instance, &release, &decisions, &scene));
        let at = match self.at {
            Some(at) => Some(at.to_string()),
            None => analysis.as_ref().map(|analysis| analysis.at.clone()),
        };
        Ok(Explanation {
            at,
            sentence: text::sentence(&release, &decisions, &scene),
            reason: text::reason(&release, &decisions, &scene),
            product: release.product.name,
            release: Name {
                id: release.id,
                semver_version: release.semver_version,
                state: release.state,
            },
            instance: instance.transpose()?,
            decisions,
            analysis: analysis.filter(|_| self.at.is_none()),
            is_past: self.at.is_some(),
            stable_version: scene.stable,
            canary: scene.canary,
        })
    }
}

/// What will be is not known.
fn refuse_future(at: Timestamp, now: &str) -> Result<(), Failure> {
    match time::timestamp(now) {
        Ok(clock) if at > clock => Err(Failure::usage(format!(
            "--at {at} is not in the past, it is {} now",
            time::to_the_second(now)
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
