//! Simulation: what another policy would have done with the runs of a canary.

use canary_core::policy::Policy;
use canary_core::release::{BandCount, CanaryPeriod, ReleaseId, Threshold};
use canary_core::replay::{Outcome, Plan, Replay};
use canary_core::rollout::{Arm, Counts};
use canary_core::time::Timestamp;
use poem_openapi::Object;
use serde::Deserialize;

use super::analysis::{ReleaseNameBody, no_canary};
use super::body::DecisionBody;
use crate::api::payload::{Body, Checks};
use crate::api::policy::{PolicyBody, check_types};
use crate::api::problem::{ApiError, Kind};
use crate::api::{heavy, moment};
use crate::app::App;
use crate::store::{StoredDecision, StoredRelease, StoredRun};

/// What is to be tried; what is absent is as the release was registered.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewSimulation")]
#[serde(deny_unknown_fields)]
pub(super) struct NewSimulationBody {
    /// Settings of the policy that are to be other ones.
    policy: Option<PolicyBody>,
    /// Lowest acceptable success rate in percent, 0 to 100.
    threshold: Option<f64>,
    /// How long the canary is watched, in days, 0.000001 to 3650.
    canary_period: Option<f64>,
    /// In how many steps it widens, 1 to 100.
    band_count: Option<i64>,
}

impl Body for NewSimulationBody {
    const REQUIRED: &'static [&'static str] = &[];
}

/// With what the runs were gone through.
#[derive(Debug, Object)]
#[oai(rename = "SimulationPlan")]
struct PlanBody {
    /// The policy in full.
    policy: PolicyBody,
    /// Lowest acceptable success rate, in percent.
    threshold: f64,
    /// How long the canary is watched, in days.
    canary_period: f64,
    /// In how many steps it widens.
    band_count: u16,
    /// When its first band begins, RFC 3339.
    begins_at: String,
}

impl From<&Plan> for PlanBody {
    fn from(plan: &Plan) -> Self {
        Self {
            policy: (&plan.policy).into(),
            threshold: plan.threshold.percent(),
            canary_period: plan.canary_period.days(),
            band_count: plan.band_count.get(),
            begins_at: moment::show(plan.begins_at),
        }
    }
}

/// Runs of one version.
#[derive(Debug, Object)]
#[oai(rename = "Runs")]
struct RunsBody {
    /// Runs that succeeded.
    success: u64,
    /// Runs that failed.
    failed: u64,
    /// Runs that say nothing about the version.
    neutral: u64,
}

impl From<Counts> for RunsBody {
    fn from(counts: Counts) -> Self {
        let Counts { success, failed, neutral } = counts;
        Self { success, failed, neutral }
    }
}

/// What would have happened.
#[derive(Debug, Object)]
#[oai(rename = "Simulation")]
pub(super) struct SimulationBody {
    /// The canary.
    release: ReleaseNameBody,
    /// The version that it was compared with.
    stable_version: String,
    /// With what the runs were gone through.
    plan: PlanBody,
    /// When the first of the runs that were gone through arrived, RFC 3339; null without a run.
    from: Option<String>,
    /// When the last of them arrived, before that end or after, RFC 3339; null without a run.
    to: Option<String>,
    /// What would have been decided about the canary, in order, without evidence.
    decisions: Vec<DecisionBody>,
    /// The decision that would have ended its time as a canary; null if it would still be one.
    end: Option<DecisionBody>,
    /// Runs of both versions up to that end, with the one that brought it and those that say nothing;
    /// all of them without an end.
    runs: u64,
    /// Failed runs of the canary up to that end, which the policy would have suffered.
    suffered: u64,
    /// All runs of the canary that were gone through, before that end and after.
    canary: RunsBody,
    /// All runs of the stable version that were gone through.
    stable: RunsBody,
    /// The decision that ended its time as a canary in fact; null while there is none.
    actual: Option<DecisionBody>,
}

/// Goes through the stored runs of a canary again. Nothing is changed.
pub(super) async fn simulate(
    app: &App,
    stored: StoredRelease,
    verdict: Option<StoredDecision>,
    body: NewSimulationBody,
) -> Result<SimulationBody, ApiError> {
    let Some(rollout) = &stored.rollout else { return Err(no_canary(&stored)) };
    let Some(stable) = rollout.stable() else { return Err(no_baseline(&stored)) };
    let stable = app.store.release(stable).await?.ok_or_else(|| no_baseline(&stored))?;
    let plan = plan(&stored, &stable, &body)?;
    check_types(app, "policy/", &plan.policy)?;
    let ids = [stored.release.id, stable.release.id];
    let seen = go_through(app, ids, stored.release.registered_at, &plan).await?;
    let Seen { mut replay, first, last } = seen;
    replay.pass(app.clock.now());
    let outcome = replay.finish();
    let Outcome { decisions, end, runs, suffered, canary, stable: others } = outcome;
    Ok(SimulationBody {
        release: (&stored).into(),
        stable_version: stable.release.version.to_string(),
        plan: (&plan).into(),
        from: first.map(moment::show),
        to: last.map(moment::show),
        decisions: decisions.iter().map(DecisionBody::without_evidence).collect(),
        end: end.as_ref().map(DecisionBody::without_evidence),
        runs,
        suffered,
        canary: canary.into(),
        stable: others.into(),
        actual: verdict.map(Into::into),
    })
}

/// Goes through all runs of a canary and of the version it was compared with.
async fn go_through(
    app: &App,
    ids @ [canary, stable]: [ReleaseId; 2],
    registered_at: Timestamp,
    plan: &Plan,
) -> Result<Seen, ApiError> {
    let mut after = app.store.last_before_rollout(ids, registered_at).await?;
    let before = app.measured_up_to(stable, &plan.policy, after).await?;
    let replay = Replay::knowing(plan.clone(), &before);
    let mut seen = Seen { replay, first: None, last: None };
    loop {
        let page = app.store.runs(ids, after).await?;
        let Some(last) = page.last() else { return Ok(seen) };
        after = last.number;
        seen = heavy::run(true, move || {
            page.iter().for_each(|run| seen.take(run, run.release == canary));
            seen
        })
        .await?;
    }
}

/// Runs as they are gone through.
struct Seen {
    replay: Replay,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Seen {
    fn take(&mut self, run: &StoredRun, is_canary: bool) {
        let arm = if is_canary { Arm::Canary } else { Arm::Stable };
        self.first.get_or_insert(run.received_at);
        self.last = Some(run.received_at);
        self.replay.observe(arm, run, run.received_at);
    }
}

fn plan(
    stored: &StoredRelease,
    stable: &StoredRelease,
    body: &NewSimulationBody,
) -> Result<Plan, ApiError> {
    let release = &stored.release;
    let mut checks = Checks::default();
    let threshold = match body.threshold {
        Some(percent) => checks.take("threshold", Threshold::parse(percent)),
        None => Some(release.threshold),
    };
    let canary_period = match body.canary_period {
        Some(days) => checks.take("canary_period", CanaryPeriod::parse(days)),
        None => Some(release.canary_period),
    };
    let band_count = match body.band_count {
        Some(count) => checks.take("band_count", BandCount::parse(count)),
        None => Some(release.band_count),
    };
    let policy: Option<Policy> = match &body.policy {
        Some(policy) => {
            policy.parse("policy/", &release.policy, &mut checks).map(|(_, policy)| policy)
        }
        None => Some(release.policy.clone()),
    };
    let plan = || {
        Some(Plan {
            stable: stable.release.version.clone(),
            canary: release.version.clone(),
            threshold: threshold?,
            canary_period: canary_period?,
            band_count: band_count?,
            begins_at: release.release_date,
            policy: policy?,
        })
    };
    checks.finish(plan())
}

/// What a canary is answered with of which no stable version is known; why not, its rollout does not
/// tell.
fn no_baseline(stored: &StoredRelease) -> ApiError {
    let version = &stored.release.version;
    let detail = format!(
        "`{version}` had no stable version beside it when it was registered, or its rollout began under an older version of this program, which did not keep which one it was: there are no runs to go through beside its own"
    );
    ApiError::new(Kind::Conflict, detail)
}
