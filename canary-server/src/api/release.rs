//! Releases: registered, handed out, judged, and what a person can do to them.

mod analysis;
mod body;
mod comparison;
mod latest;
mod simulate;

use std::sync::Arc;

use canary_core::lineup::Request as ActionRequest;
use canary_core::release::ReleaseId;
use canary_core::time::Timestamp;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use self::analysis::AnalysisBody;
use self::body::{DecisionBody, NewReleaseBody, ReleaseBody};
use self::latest::{Latest, LatestAnswer};
use self::simulate::{NewSimulationBody, SimulationBody};
use super::payload::{Body, JsonBody};
use super::policy::check_types;
use super::problem::{ApiError, Kind};
use super::{Tag, idempotency, page, wrong_receipt};
use crate::app::App;
use crate::audit::Origin;
use crate::ingest::{Receipt, Work};
use crate::store::{StoredDecision, StoredRelease};

/// Most characters of a reason.
const REASON_LIMIT: usize = 1000;

/// Why a person does something.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "Reason")]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    /// For those who read the timeline later, at most 1000 characters.
    reason: Option<String>,
}

impl Body for ReasonBody {
    const REQUIRED: &'static [&'static str] = &[];
}

/// What was made.
#[derive(Debug, Object)]
#[oai(rename = "ReleaseId")]
struct ReleaseIdBody {
    /// Identifier of the release, a UUID.
    id: String,
}

#[derive(ApiResponse)]
enum ReleaseCreated {
    /// The release was registered.
    #[oai(status = 201)]
    Created(Json<ReleaseIdBody>),
}

#[derive(ApiResponse)]
enum Releases {
    /// Releases, newest first.
    #[oai(status = 200)]
    Page(
        Json<Vec<ReleaseBody>>,
        /// Leads to the next page; absent on the last.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// Versions of products, on their way and after it.
pub(crate) struct ReleaseApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Releases")]
impl ReleaseApi {
    /// Register a release
    ///
    /// A canary begins its first band at `release_date`. What happens to a canary that is running
    /// already is up to its own policy: by default it is promoted if it is judged healthy and a
    /// stable release exists, else superseded.
    ///
    /// A stable release becomes what everybody gets, unless a higher version already is: then it is
    /// registered as retired, and its timeline says so.
    #[oai(path = "/release", method = "post", operation_id = "create_release")]
    async fn create(
        &self,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        origin: Origin,
        body: JsonBody<NewReleaseBody>,
    ) -> Result<ReleaseCreated, ApiError> {
        let key = idempotency::key("create_release", key.0, body.fingerprint)?;
        let live = self.0.by_artifact_url(&body.value.artifact_url)?;
        let now = self.0.clock.now();
        let id = ReleaseId::from_bytes(self.0.identifiers.next(now));
        let default = live.default_policy();
        let release = Box::new(body.value.parse(id, live.product.id, &default, now)?);
        check_types(&self.0, "policy/", &release.policy)?;
        let before = Box::new(self.0.measured_before(&live, &release.policy).await?);
        let work = Work::Release { live, release, before, origin: origin.into() };
        let receipt = self.0.ingest.submit(work, key).await?;
        let Receipt::Release { id } = receipt else { return Err(wrong_receipt(&receipt)) };
        Ok(ReleaseCreated::Created(Json(ReleaseIdBody { id })))
    }

    /// Ask which version to run
    ///
    /// A pure read: it never changes anything.
    ///
    /// Without `instance_id` the answer follows the *quota*: the canary's part of the runs in the
    /// current band stays at the band's share. Answers that were handed out less than 60 s ago and
    /// are not reported count as runs. The same `run_id` gets the same answer while its rollout
    /// lasts, as long as it is among the last 10 000.
    ///
    /// With `instance_id` the answer is *sticky*: the same instance gets the same version, and
    /// widening never takes the canary away from it.
    #[oai(path = "/release/:product/latest", method = "get", operation_id = "get_latest_release")]
    async fn latest(
        &self,
        /// Name, id or artifact_url of the product, URL-encoded.
        product: Path<String>,
        /// Who asks: the answer sticks to it. 1 to 256 characters.
        instance_id: Query<Option<String>>,
        /// The run that asks: asking again gives the same answer. Passed over with `instance_id`.
        run_id: Query<Option<String>>,
        /// The `ETag` of the answer before: 304 if it would be the same. With `instance_id`.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<LatestAnswer, ApiError> {
        let live = self.0.find_product(&product.0)?;
        Latest::select(&live, instance_id.0, run_id.0.as_deref(), self.0.clock.now())?
            .answer(if_none_match.0.as_deref())
    }

    /// List releases
    #[oai(path = "/release", method = "get", operation_id = "list_releases")]
    async fn list(
        &self,
        /// Only releases of the product with this name, id or artifact_url.
        product: Query<Option<String>>,
        /// Where the page begins, from the `Link` of the page before.
        cursor: Query<Option<String>>,
        /// Releases of a page, 1 to 1000, 100 if absent.
        limit: Query<Option<i64>>,
    ) -> Result<Releases, ApiError> {
        let limit = page::limit(limit.0)?;
        let after = cursor.0.as_deref().map(read_cursor).transpose()?;
        let of_product = product.0.as_deref().map(|key| self.0.find_product(key)).transpose()?;
        let of_product = of_product.map(|live| live.product.id);
        let found = self.0.store.releases(of_product, after, limit).await?;
        let last = found.items.last().filter(|_| found.has_more).map(|last| {
            let cursor = write_cursor(last);
            page::next("/release", &[("product", product.0.as_deref())], &cursor, limit)
        });
        Ok(Releases::Page(Json(self.show(found.items).await?), last))
    }

    /// Show a release with its state and counts
    #[oai(path = "/release/:id", method = "get", operation_id = "get_release")]
    async fn get(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
    ) -> Result<Json<ReleaseBody>, ApiError> {
        self.show_one(parse_id(&id.0)?).await
    }

    /// Show why a release is where it is
    ///
    /// The timeline, oldest first, with the evidence from which anyone can compute each verdict.
    #[oai(path = "/release/:id/decisions", method = "get", operation_id = "list_decisions")]
    async fn decisions(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
    ) -> Result<Json<Vec<DecisionBody>>, ApiError> {
        let id = parse_id(&id.0)?;
        self.stored(id).await?;
        let decisions = self.0.store.decisions(id).await?;
        Ok(Json(decisions.into_iter().map(Into::into).collect()))
    }

    /// Show what the judge sees of a canary
    ///
    /// Counts per version and band, what each rule has found with all numbers from which it is
    /// computed, and what is missing for a verdict. Beside it, for people and never a gate: Welch's
    /// interval, Mann-Whitney U, quantiles of both versions, over the first 200 000 runs.
    ///
    /// Of a canary that has ended it is what was seen last. 409 if the release never was a canary.
    #[oai(path = "/release/:id/analysis", method = "get", operation_id = "get_analysis")]
    async fn analysis(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
    ) -> Result<Json<AnalysisBody>, ApiError> {
        let (stored, verdict) = self.judged(&id.0).await?;
        analysis::analyse(&self.0, stored, verdict).await.map(Json)
    }

    /// Show what another policy would have done
    ///
    /// Goes through the stored runs of a canary and of the version it was compared with, in the
    /// order and at the times at which they arrived, with the very steps that a live canary takes.
    /// Nothing is changed.
    ///
    /// The runs are those that were: what would have become of a canary that stayed longer, or got
    /// another share, cannot be told. Readings, answers without a report, and what operators did
    /// are not gone through, so a policy that judges by one of these may decide here otherwise than
    /// it did. Limits of measurements are those of the live canary: taken from what the stable
    /// version had measured when the canary was registered, as far as its signals are still stored.
    ///
    /// 409 if it never was a canary, or it is not known which version it was compared with.
    #[oai(path = "/release/:id/simulate", method = "post", operation_id = "simulate_release")]
    async fn simulate(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
        body: JsonBody<NewSimulationBody>,
    ) -> Result<Json<SimulationBody>, ApiError> {
        let (stored, verdict) = self.judged(&id.0).await?;
        simulate::simulate(&self.0, stored, verdict, body.value).await.map(Json)
    }

    /// Make a release the version that everybody gets
    ///
    /// A running or paused canary, or a version that was retired or superseded: the way back to an
    /// older one. Promoting what is stable changes nothing.
    #[oai(path = "/release/:id/promote", method = "post", operation_id = "promote_release")]
    async fn promote(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        origin: Origin,
        body: JsonBody<ReasonBody>,
    ) -> Result<Json<ReleaseBody>, ApiError> {
        self.act(ActionRequest::Promote, &id.0, key.0, origin, body).await
    }

    /// Take a canary back
    #[oai(path = "/release/:id/rollback", method = "post", operation_id = "rollback_release")]
    async fn rollback(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        origin: Origin,
        body: JsonBody<ReasonBody>,
    ) -> Result<Json<ReleaseBody>, ApiError> {
        self.act(ActionRequest::Rollback, &id.0, key.0, origin, body).await
    }

    /// Hand a canary out no more, for now
    ///
    /// Everybody gets the stable version. What still reports is judged all the same, and the bands
    /// that lie ahead move by as long as the pause lasts.
    #[oai(path = "/release/:id/pause", method = "post", operation_id = "pause_release")]
    async fn pause(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        origin: Origin,
        body: JsonBody<ReasonBody>,
    ) -> Result<Json<ReleaseBody>, ApiError> {
        self.act(ActionRequest::Pause, &id.0, key.0, origin, body).await
    }

    /// Hand a paused canary out again
    #[oai(path = "/release/:id/resume", method = "post", operation_id = "resume_release")]
    async fn resume(
        &self,
        /// Identifier of the release, a UUID.
        id: Path<String>,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        origin: Origin,
        body: JsonBody<ReasonBody>,
    ) -> Result<Json<ReleaseBody>, ApiError> {
        self.act(ActionRequest::Resume, &id.0, key.0, origin, body).await
    }
}

impl ReleaseApi {
    async fn act(
        &self,
        request: ActionRequest,
        id: &str,
        key: Option<String>,
        origin: Origin,
        body: JsonBody<ReasonBody>,
    ) -> Result<Json<ReleaseBody>, ApiError> {
        let id = parse_id(id)?;
        // One key may serve several releases only by mistake: the release is part of the request.
        let fingerprint = body.fingerprint ^ u64::from_le_bytes(first_half(id));
        let key = idempotency::key(request.as_str(), key, fingerprint)?;
        let reason = body.value.reason.unwrap_or_default();
        let length = reason.chars().count();
        if length > REASON_LIMIT {
            let detail =
                format!("reason has {length} characters, at most {REASON_LIMIT} are accepted");
            return Err(ApiError::new(Kind::Invalid, detail));
        }
        let stored = self.stored(id).await?;
        let live = self.0.directory.by_id(stored.release.product);
        let live = live.ok_or_else(|| unknown(id))?;
        let origin = origin.into();
        let work = Work::Act { live, release: id, request, reason, origin };
        self.0.ingest.submit(work, key).await?;
        self.show_one(id).await
    }

    /// A release and the decision that ended its time as a canary.
    async fn judged(&self, id: &str) -> Result<(StoredRelease, Option<StoredDecision>), ApiError> {
        let id = parse_id(id)?;
        let stored = self.stored(id).await?;
        // Whoever is promoted again later ended its time as a canary before.
        let verdict = self.0.store.verdicts(&[id]).await?.into_iter().next();
        Ok((stored, verdict.map(|(_, verdict)| verdict)))
    }

    async fn stored(&self, id: ReleaseId) -> Result<StoredRelease, ApiError> {
        self.0.store.release(id).await?.ok_or_else(|| unknown(id))
    }

    async fn show_one(&self, id: ReleaseId) -> Result<Json<ReleaseBody>, ApiError> {
        let stored = self.stored(id).await?;
        let mut shown = self.show(vec![stored]).await?;
        shown.pop().map(Json).ok_or_else(|| unknown(id))
    }

    async fn show(&self, releases: Vec<StoredRelease>) -> Result<Vec<ReleaseBody>, ApiError> {
        let was_canary = |stored: &&StoredRelease| stored.rollout.is_some();
        let ids: Vec<ReleaseId> =
            releases.iter().filter(was_canary).map(|stored| stored.release.id).collect();
        let mut verdicts = std::collections::HashMap::new();
        for (id, verdict) in self.0.store.verdicts(&ids).await? {
            verdicts.entry(id).or_insert(verdict);
        }
        let now = self.0.clock.now();
        let show = |stored: StoredRelease| {
            let live = self.0.directory.by_id(stored.release.product)?;
            let verdict = verdicts.remove(&stored.release.id);
            Some(ReleaseBody::of(&live.product, stored, verdict, now))
        };
        Ok(releases.into_iter().filter_map(show).collect())
    }
}

fn first_half(id: ReleaseId) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *id.as_bytes();
    [a, b, c, d, e, f, g, h]
}

fn unknown(id: ReleaseId) -> ApiError {
    ApiError::new(Kind::UnknownRelease, format!("no release has the id `{id}`"))
}

fn parse_id(text: &str) -> Result<ReleaseId, ApiError> {
    ReleaseId::parse(text).map_err(|error| ApiError::parameter("id", &error))
}

fn write_cursor(last: &StoredRelease) -> String {
    format!("{}_{}", last.release.registered_at.as_micros(), last.release.id)
}

fn read_cursor(cursor: &str) -> Result<(Timestamp, ReleaseId), ApiError> {
    let read = || {
        let (moment, id) = cursor.split_once('_')?;
        Some((Timestamp::from_micros(moment.parse().ok()?), ReleaseId::parse(id).ok()?))
    };
    read().ok_or_else(|| page::bad_cursor(cursor))
}
