//! Signals: single, and in batches.

mod batch;

use std::collections::HashMap;
use std::sync::Arc;

use canary_core::signal::{Description, InstanceId, Measurements, Signal, SignalId, Status};
use canary_core::time::Timestamp;
use poem_openapi::param::Header;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::{Deserialize, Serialize};

use self::batch::BatchBody;
use super::payload::{Body, Checks, JsonBody, Rendered};
use super::problem::ApiError;
use super::{Tag, idempotency, moment, wrong_receipt};
use crate::app::App;
use crate::ingest::{NewSignal, Receipt, Rejected, Work};
use crate::live::Live;

/// The outcome of one run of one version on one instance.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "Signal")]
#[serde(deny_unknown_fields)]
pub(super) struct SignalBody {
    /// The product that ran, by its artifact_url.
    artifact_url: String,
    /// The version that ran, to the letter.
    semver_version: String,
    /// What ran it, 1 to 256 characters.
    instance_id: String,
    /// What a person should know about it, at most 10 000 characters.
    description: Option<String>,
    /// How it ended, in any case. Success: `success`, `ok`, `pass`, `passed`, `succeeded`. Failed:
    /// `failed`, `fail`, `failure`, `error`, `up_for_retry`, `timeout`. Neutral, which is stored and
    /// never judged: `neutral`, `skipped`, `upstream_failed`, `cancelled`, `removed`, `running`.
    status: String,
    /// A UUID made by the caller: it makes it safe to send the signal twice, it is counted once.
    /// Best of version 7: ids in the order of time are stored quicker than random ones.
    id: Option<String>,
    /// When it ended, RFC 3339, now if absent; a value without zone is UTC.
    created_date: Option<String>,
    /// Numbers that the run measured, by name; at most 32, all finite.
    measurements: Option<HashMap<String, f64>>,
}

impl Body for SignalBody {
    const REQUIRED: &'static [&'static str] =
        &["artifact_url", "semver_version", "instance_id", "status"];
}

impl SignalBody {
    /// Checks all values, and finds the release.
    pub(super) fn parse(self, app: &App, now: Timestamp) -> Result<NewSignal, ApiError> {
        let mut checks = Checks::default();
        let instance = checks.take("instance_id", InstanceId::parse(self.instance_id));
        let description = self.description.unwrap_or_default();
        let description = checks.take("description", Description::parse(description));
        let status = checks.take("status", Status::parse(&self.status));
        let has_own_id = self.id.is_some();
        let id = match self.id {
            Some(text) => checks.take("id", SignalId::parse(&text)),
            None => Some(SignalId::from_bytes(app.identifiers.next(now))),
        };
        let created_at = match self.created_date {
            Some(text) => checks.take("created_date", moment::parse("created_date", &text)),
            None => Some(now),
        };
        let measurements = self.measurements.unwrap_or_default();
        let measurements = checks.take("measurements", Measurements::parse(measurements));
        let live: Arc<Live> = app.by_artifact_url(&self.artifact_url)?;
        let release = app.version(&live, &self.semver_version)?;
        let signal = || {
            let signal = Signal {
                id: id?,
                release,
                instance: instance?,
                description: description?,
                status: status?,
                created_at: created_at?,
                measurements: measurements?,
            };
            Some(NewSignal { live, signal, has_own_id })
        };
        checks.finish(signal())
    }
}

/// What was stored.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "SignalId")]
struct SignalIdBody {
    /// Identifier of the signal, a UUID.
    id: String,
}

#[derive(ApiResponse)]
enum SignalCreated {
    /// The signal is durable, now or since it came first.
    #[oai(status = 201)]
    Created(Rendered<SignalIdBody>),
}

/// What became of a batch.
#[derive(Debug, Object)]
#[oai(rename = "BatchOutcome")]
struct BatchOutcomeBody {
    /// Signals that are durable now and were not before.
    accepted: u64,
    /// Signals that were durable before.
    duplicates: u64,
    /// Signals that were not stored, and why.
    rejected: Vec<Rejected>,
}

/// Outcomes of runs.
pub(crate) struct SignalApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Signals")]
impl SignalApi {
    /// Report one signal
    ///
    /// Answers once the signal is durable. Sending the same `id` again is safe: it is counted once
    /// and answered like the first.
    #[oai(path = "/signal", method = "post", operation_id = "create_signal")]
    async fn create(
        &self,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: JsonBody<SignalBody>,
    ) -> Result<SignalCreated, ApiError> {
        let key = idempotency::key("create_signal", key.0, body.fingerprint)?;
        let signal = body.value.parse(&self.0, self.0.clock.now())?;
        let work = Work::Signals { signals: vec![signal], rejected: Vec::new() };
        let receipt = self.0.ingest.submit(work, key).await?;
        let Receipt::Signals { id: Some(id), .. } = receipt else {
            return Err(wrong_receipt(&receipt));
        };
        Ok(SignalCreated::Created(Rendered::of(&SignalIdBody { id })?))
    }

    /// Report up to 10 000 signals
    ///
    /// A JSON array, or one object per line as `application/x-ndjson`; gzip is accepted. Answers
    /// once the accepted ones are durable; each rejected one is named by its place, counted from 0
    /// (in NDJSON, blank lines do not count).
    #[oai(path = "/signal/batch", method = "post", operation_id = "create_signals")]
    async fn create_batch(
        &self,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: BatchBody,
    ) -> Result<Json<BatchOutcomeBody>, ApiError> {
        let key = idempotency::key("create_signals", key.0, body.fingerprint)?;
        let (signals, rejected) = body.parse(&self.0, self.0.clock.now())?;
        let receipt = self.0.ingest.submit(Work::Signals { signals, rejected }, key).await?;
        let Receipt::Signals { accepted, duplicates, rejected, .. } = receipt else {
            return Err(wrong_receipt(&receipt));
        };
        Ok(Json(BatchOutcomeBody { accepted, duplicates, rejected }))
    }
}
