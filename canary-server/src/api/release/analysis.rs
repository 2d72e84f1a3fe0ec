//! Analysis: what the judge sees now.

use canary_core::judge::outlook::Outlook;
use canary_core::reading::TypeName;
use canary_core::release::ReleaseId;
use canary_core::rollout::{Arm, Evidence, Rollout};
use canary_core::signal::Status;
use canary_core::stats::Summary;
use canary_core::time::Timestamp;
use poem_openapi::Object;

use super::body::{BandBody, DecisionBody, bands};
use super::comparison::{FailureRatesBody, Measured, MeasurementComparisonBody, of_readings};
use crate::api::problem::{ApiError, Kind};
use crate::api::{heavy, moment};
use crate::app::App;
use crate::evidence::{ArmBody, FindingsBody, UnreportedBody};
use crate::readings::Span;
use crate::store::{StoredDecision, StoredRelease, StoredRun};

/// Most runs whose measurements are compared, from the first run of the rollout on.
const MOST_RUNS: usize = 200_000;

/// A release, for short.
#[derive(Debug, Object)]
#[oai(rename = "ReleaseName")]
pub(super) struct ReleaseNameBody {
    /// Its identifier, a UUID.
    id: String,
    /// The version, to the letter.
    semver_version: String,
    /// `running`, `paused`, `promoted`, `rolled_back`, `superseded` …
    state: String,
}

impl From<&StoredRelease> for ReleaseNameBody {
    fn from(stored: &StoredRelease) -> Self {
        Self {
            id: stored.release.id.to_string(),
            semver_version: stored.release.version.to_string(),
            state: stored.release.state.as_str().to_owned(),
        }
    }
}

/// How far a verdict is at best; a guess of what will come it is not.
#[derive(Debug, Object)]
#[oai(rename = "Outlook")]
struct OutlookBody {
    /// Judged runs of the canary that are missing for `min_signals`.
    signals_missing: u64,
    /// Runs of the canary that would have to fail, one after another, for it to be rolled back,
    /// while the stable version succeeds in its share of the runs; null if 2 000 would not do. 0 if
    /// the next run of the stable version brings it about.
    failures_to_rollback: Option<u64>,
    /// Runs of the canary that would have to succeed, one after another, for it to be promoted:
    /// early, if its policy does so, or while it is held; null if neither, or 2 000 would not do.
    successes_to_promotion: Option<u64>,
    /// The same in words.
    sentence: String,
}

impl From<Outlook> for OutlookBody {
    fn from(outlook: Outlook) -> Self {
        Self {
            signals_missing: outlook.signals_missing,
            failures_to_rollback: outlook.failures_to_rollback,
            successes_to_promotion: outlook.successes_to_promotion,
            sentence: outlook.to_string(),
        }
    }
}

/// For people, beside the verdict and never a gate: each holds for one look that was planned.
#[derive(Debug, Object)]
#[oai(rename = "Comparisons")]
struct ComparisonsBody {
    /// Failure rates; null while a version has no judged run.
    failure_rate: Option<FailureRatesBody>,
    /// All measurements of signals, by name, then the readings that the policy judges; empty where
    /// there is no stable version.
    measurements: Vec<MeasurementComparisonBody>,
}

/// What the judge sees of a canary, or saw at its end.
#[derive(Debug, Object)]
#[oai(rename = "Analysis")]
pub(super) struct AnalysisBody {
    /// The canary.
    release: ReleaseNameBody,
    /// The version that it is compared with, to the letter; null if there was none.
    stable_version: Option<String>,
    /// When this was computed, RFC 3339.
    at: String,
    /// The band, counted from 1; 0 before the first.
    band: u16,
    /// The canary's share in that band, 0 to 1.
    share: f64,
    /// Runs of the canary that were reported, in all bands.
    canary: ArmBody,
    /// Runs of the stable version that were reported meanwhile.
    stable: ArmBody,
    /// Answers that were handed out and not reported in time.
    unreported: UnreportedBody,
    /// The bands with the judged runs in each.
    bands: Vec<BandBody>,
    /// What each rule has found, with all numbers from which it follows.
    findings: FindingsBody,
    /// What is missing for a verdict; null when its time as a canary has ended.
    outlook: Option<OutlookBody>,
    /// For people, beside the verdict.
    comparisons: ComparisonsBody,
    /// The decision that ended its time as a canary; null while there is none.
    verdict: Option<DecisionBody>,
}

/// Looks at a canary as the judge does.
pub(super) async fn analyse(
    app: &App,
    stored: StoredRelease,
    verdict: Option<StoredDecision>,
) -> Result<AnalysisBody, ApiError> {
    let now = app.clock.now();
    let Some(rollout) = &stored.rollout else { return Err(no_canary(&stored)) };
    let release = &stored.release;
    let until = verdict.as_ref().map_or(now, |verdict| verdict.at);
    let stable = match rollout.stable() {
        Some(id) => app.store.release(id).await?,
        None => None,
    };
    let outlook = if release.state.is_open() {
        let (rollout, release) = (rollout.clone(), release.clone());
        Some(heavy::run(true, move || Outlook::of(&rollout, &release, now)).await?)
    } else {
        None
    };
    let evidence = rollout.evidence(release, until);
    let comparisons = ComparisonsBody {
        failure_rate: FailureRatesBody::of(&rollout.counts()),
        measurements: measurements(app, &stored, rollout, stable.as_ref(), until).await?,
    };
    let Evidence { band, share, unreported, is_unreported_failed, .. } = evidence;
    Ok(AnalysisBody {
        release: (&stored).into(),
        stable_version: stable.map(|stable| stable.release.version.to_string()),
        at: moment::show(now),
        band,
        share: share.as_f64(),
        canary: (&evidence.canary).into(),
        stable: (&evidence.stable).into(),
        unreported: UnreportedBody::of(unreported, is_unreported_failed),
        bands: bands(rollout),
        findings: (&evidence.findings).into(),
        outlook: outlook.map(Into::into),
        comparisons,
        verdict: verdict.map(Into::into),
    })
}

/// What a release that never was a canary is answered with.
pub(super) fn no_canary(stored: &StoredRelease) -> ApiError {
    let (version, state) = (&stored.release.version, stored.release.state.as_str());
    let detail = format!("`{version}` is {state} and never was a canary: nothing was judged");
    ApiError::new(Kind::Conflict, detail)
}

/// Compares what both versions have measured up to a time.
async fn measurements(
    app: &App,
    stored: &StoredRelease,
    rollout: &Rollout,
    stable: Option<&StoredRelease>,
    until: Timestamp,
) -> Result<Vec<MeasurementComparisonBody>, ApiError> {
    let release = &stored.release;
    let Some(stable) = stable else { return Ok(Vec::new()) };
    let ids = [release.id, stable.release.id];
    let measured = of_signals(app, ids, release.registered_at, until).await?;
    let mut compared = heavy::run(true, move || measured.compare()).await?;
    for name in rollout.judged_readings() {
        let from = release.registered_at.max(release.release_date);
        let span = Span { start: from.as_seconds(), end: until.as_seconds() };
        let canary = of_version(app, name, release.version.as_str(), span).await?;
        let other = of_version(app, name, stable.release.version.as_str(), span).await?;
        if let (Some(canary), Some(stable)) = (canary, other) {
            compared.push(of_readings(name.as_str(), &canary, &stable));
        }
    }
    Ok(compared)
}

/// Runs that arrive in the microsecond in which a canary is registered or ends are told apart by
/// whether they were counted; neutral ones are never judged, and not compared either.
async fn of_signals(
    app: &App,
    [canary, stable]: [ReleaseId; 2],
    from: Timestamp,
    until: Timestamp,
) -> Result<Measured, ApiError> {
    let mut measured = Measured::default();
    let (mut after, mut taken) = (app.store.last_before(from).await?, 0);
    while taken < MOST_RUNS {
        let page = app.store.runs([canary, stable], after).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        let is_done = last.received_at > until;
        let is_judged = |run: &&StoredRun| run.is_counted && run.status != Status::Neutral;
        for run in page.iter().filter(|run| run.received_at <= until).filter(is_judged) {
            let arm = if run.release == canary { Arm::Canary } else { Arm::Stable };
            measured.take(arm, run);
            taken += 1;
        }
        if is_done {
            break;
        }
    }
    Ok(measured)
}

async fn of_version(
    app: &App,
    name: &TypeName,
    version: &str,
    span: Span,
) -> Result<Option<Summary>, ApiError> {
    let Some(kind) = app.readings.names().type_id(name.as_str()) else { return Ok(None) };
    let summed = app.readings.sum_up_all(&app.store, kind, Some(version), span).await?;
    Ok(summed.map(|summed| summed.summary))
}
