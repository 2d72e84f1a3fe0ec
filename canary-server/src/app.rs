//! The wiring: what a request can reach.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use canary_core::release::ReleaseId;

use crate::api::problem::{ApiError, Kind};
use crate::clock::Clock;
use crate::identify::Identifiers;
use crate::ingest::Ingest;
use crate::live::{Directory, Live};
use crate::readings::Readings;
use crate::store::Store;

/// What the handlers work with.
pub(crate) struct App {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) identifiers: Identifiers,
    pub(crate) store: Arc<Store>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) readings: Arc<Readings>,
    pub(crate) ingest: Ingest,
    pub(crate) is_stopping: AtomicBool,
}

impl App {
    /// A product by its name, id or artifact_url.
    pub(crate) fn find_product(&self, key: &str) -> Result<Arc<Live>, ApiError> {
        self.directory.find(key).ok_or_else(|| {
            let detail = format!("no product has the name, id or artifact_url `{key}`");
            ApiError::new(Kind::UnknownProduct, detail)
        })
    }

    /// A product by its artifact_url, as releases and signals name it.
    pub(crate) fn by_artifact_url(&self, url: &str) -> Result<Arc<Live>, ApiError> {
        self.directory.by_artifact_url(url).ok_or_else(|| {
            let detail = format!("no product has the artifact_url `{url}`");
            ApiError::new(Kind::UnknownProduct, detail)
        })
    }

    /// A version of a product, to the letter.
    pub(crate) fn version(&self, live: &Live, version: &str) -> Result<ReleaseId, ApiError> {
        live.version(version).ok_or_else(|| {
            let name = &live.product.name;
            let detail = format!("product `{name}` has no release with the version `{version}`");
            ApiError::new(Kind::UnknownVersion, detail)
        })
    }
}
