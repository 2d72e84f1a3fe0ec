//! Which version to run: the answer that is asked for most.

use std::fmt::Write as _;

use canary_core::product::Product;
use canary_core::select::Asker;
use canary_core::select::quota::RunKey;
use canary_core::signal::InstanceId;
use canary_core::time::Timestamp;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;
use uuid::Uuid;

use crate::api::payload::Rendered;
use crate::api::problem::{ApiError, Kind};
use crate::api::product::ProductBody;
use crate::live::{Answer, Live};

/// The version to run.
#[derive(Debug, Object)]
#[oai(rename = "Latest")]
pub(super) struct LatestBody {
    /// Identifier of the release, a UUID.
    id: String,
    /// The version to run, to the letter.
    semver_version: String,
    /// The product it is a version of.
    product: ProductBody,
    /// Whether it is the canary.
    is_canary: bool,
    /// The band of the open canary, counted from 1; null while none is open or it has not begun.
    band: Option<u16>,
    /// Why this version: `only_stable`, `only_canary`, `canary_share`, `stable_share`,
    /// `first_canary_run`, `first_stable_run`, `paused`, `rolled_back` or `promoted`.
    reason: String,
}

#[derive(ApiResponse)]
pub(super) enum LatestAnswer {
    /// The version to run.
    #[oai(status = 200)]
    Version(
        Rendered<LatestBody>,
        /// `no-store` without `instance_id`: the next answer may be another.
        #[oai(header = "Cache-Control")]
        String,
        /// Of a sticky answer: send it back as `If-None-Match`.
        #[oai(header = "ETag")]
        Option<String>,
    ),
    /// The answer is the one that the caller has.
    #[oai(status = 304)]
    NotModified(
        /// The same as before.
        #[oai(header = "ETag")]
        String,
        /// `no-cache`: ask again, it costs little.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// [`LatestBody`] without a copy of anything.
#[derive(Serialize)]
struct LatestRef<'a> {
    id: &'a str,
    semver_version: &'a str,
    product: ProductRef<'a>,
    is_canary: bool,
    band: Option<u16>,
    reason: &'a str,
}

#[derive(Serialize)]
struct ProductRef<'a> {
    id: &'a str,
    name: &'a str,
    repository_url: &'a str,
    artifact_url: &'a str,
}

/// A version that was chosen.
pub(super) struct Latest<'a> {
    product: &'a Product,
    answer: Answer,
    is_sticky: bool,
}

impl<'a> Latest<'a> {
    /// Chooses for the one who asks.
    pub(super) fn select(
        live: &'a Live,
        instance_id: Option<String>,
        run_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let instance = instance_id.map(InstanceId::parse).transpose();
        let instance = instance.map_err(|error| ApiError::parameter("instance_id", &error))?;
        let asker = match &instance {
            Some(instance) => Asker::Instance(instance),
            None => Asker::Run(run_id.map(RunKey::of)),
        };
        let product = &*live.product;
        let answer = live.select(asker, now).ok_or_else(|| {
            let detail = format!("product `{}` has no active release", product.name);
            ApiError::new(Kind::NoActiveRelease, detail)
        })?;
        Ok(Self { product, answer, is_sticky: instance.is_some() })
    }

    /// Renders the answer, or says that the caller has it already.
    pub(super) fn answer(self, if_none_match: Option<&str>) -> Result<LatestAnswer, ApiError> {
        if !self.is_sticky {
            return Ok(LatestAnswer::Version(self.render()?, "no-store".to_owned(), None));
        }
        let etag = self.etag();
        let cache = "no-cache".to_owned();
        let has_it = |known: &str| {
            let mut known = known.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
            known.any(|tag| tag == etag || tag == "*")
        };
        if if_none_match.is_some_and(has_it) {
            return Ok(LatestAnswer::NotModified(etag, cache));
        }
        Ok(LatestAnswer::Version(self.render()?, cache, Some(etag)))
    }

    /// All that can change in the answer.
    fn etag(&self) -> String {
        let Answer { release, band, reason } = &self.answer;
        let mut etag = format!("\"{}-{}", release.id, reason.as_str());
        if let Some(band) = band {
            // Writing to a string cannot fail.
            let _ = write!(etag, "-{band}");
        }
        etag.push('"');
        etag
    }

    fn render(&self) -> Result<Rendered<LatestBody>, ApiError> {
        let Self { product, answer: Answer { release, band, reason }, .. } = self;
        let (mut release_id, mut product_id) = (Uuid::encode_buffer(), Uuid::encode_buffer());
        let text = |bytes: &[u8; 16]| Uuid::from_bytes(*bytes).hyphenated();
        Rendered::of(&LatestRef {
            id: text(release.id.as_bytes()).encode_lower(&mut release_id),
            semver_version: release.version.as_str(),
            product: ProductRef {
                id: text(product.id.as_bytes()).encode_lower(&mut product_id),
                name: product.name.as_str(),
                repository_url: product.repository_url.as_str(),
                artifact_url: product.artifact_url.as_str(),
            },
            is_canary: release.is_canary,
            band: *band,
            reason: reason.as_str(),
        })
    }
}
