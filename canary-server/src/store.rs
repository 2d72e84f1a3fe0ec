//! The store: what is durable. Operations, not tables.
//!
//! State changes only in [`Store::commit`], with the decisions that tell why in the same
//! transaction.
//! A reader sees what was committed; not found is `None`.

mod audit;
mod backend;
mod changes;
mod commit;
pub(crate) mod copy;
mod entity;
mod error;
mod hold;
mod news;
mod outcome;
mod reach;
mod read;
mod readings;
mod registry;
mod signals;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;

use canary_core::judge::rules::Before;
use canary_core::lineup::{Lineup, Open};
use canary_core::policy::Settings;
use canary_core::product::Product;
use canary_core::release::ReleaseId;
use canary_core::rollout::Rollout;
use canary_core::select::Reason;
use canary_core::signal::SignalId;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, EntityTrait as _, FromQueryResult as _};

use self::backend::Missing;
pub(crate) use self::backend::{Dialect, Place};
pub(crate) use self::changes::{
    Answered, Changes, CountedSignal, LineupRow, NewProduct, PackedBlock, ReadingChanges,
};
pub(crate) use self::entity::policy::to_json as policy_json;
pub(crate) use self::entity::release::StoredRelease;
use self::entity::{idempotency, policy, product, release};
pub use self::error::StoreError;
pub(crate) use self::hold::{Hold, ReadingsAt};
pub(crate) use self::news::{Heard, Lead, Listener, News};
pub(crate) use self::read::{PageOf, ProductFilter, StoredDecision};
pub(crate) use self::registry::{Registered, Registry, RegistryListener, StoredKey};
pub(crate) use self::signals::StoredRun;

/// A product with everything that answers about it are made from.
#[derive(Debug, Clone)]
pub(crate) struct StoredProduct {
    pub(crate) product: Product,
    pub(crate) revision: i64,
    pub(crate) lineup: Lineup,
    /// Every version that was ever registered.
    pub(crate) versions: HashMap<Box<str>, ReleaseId>,
    /// What its releases are judged by where they say nothing.
    pub(crate) policy: Settings,
}

/// What is durable.
pub(crate) struct Store {
    connections: backend::Connections,
    /// Under which the other servers hear of its commits: a random number.
    name: u64,
    /// How many commits were tried.
    tried: AtomicU64,
}

impl Store {
    /// Connects to the tables of an organization; their schema stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if they cannot be reached, [`StoreError::Missing`] if they are
    /// those of another organization than `default`, and are gone.
    pub(crate) async fn connect(place: &Place) -> Result<Self, StoreError> {
        let missing = if place.is_default { Missing::AsAddressSays } else { Missing::Refuse };
        Self::connect_or(place, missing).await
    }

    /// Makes the place of a new organization if there is none yet, without any table.
    pub(crate) async fn make(place: &Place) -> Result<Self, StoreError> {
        Self::connect_or(place, Missing::Make).await
    }

    async fn connect_or(place: &Place, missing: Missing) -> Result<Self, StoreError> {
        let (name, _) = Uuid::new_v4().as_u64_pair();
        let connections = backend::connect(place, missing).await?;
        Ok(Self { connections, name, tried: AtomicU64::new(0) })
    }

    /// Lets go of the database; what was committed is in its file.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if a connection cannot be closed.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.close_shared().await
    }

    /// [`Self::close`] for a store that others still hold; they can do nothing more with it.
    pub(crate) async fn close_shared(&self) -> Result<(), StoreError> {
        // The writer last: it takes the log into the file.
        self.connections.readers.close_by_ref().await?;
        self.connections.writer.close_by_ref().await?;
        Ok(())
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.connections.writer
    }

    /// Where its tables are.
    pub(crate) const fn place(&self) -> &Place {
        &self.connections.place
    }

    /// Which database it is.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.connections.dialect
    }

    fn readers(&self) -> &DatabaseConnection {
        &self.connections.readers
    }

    /// Every product, as it was last committed.
    pub(crate) async fn load(&self) -> Result<Vec<StoredProduct>, StoreError> {
        let products = product::Entity::find().all(self.readers()).await?;
        let releases = release::Entity::find().all(self.readers()).await?;
        assemble(products, releases)
    }

    /// Which of these signals are stored already.
    pub(crate) async fn known_signals(
        &self,
        ids: impl Iterator<Item = SignalId>,
    ) -> Result<HashSet<SignalId>, StoreError> {
        let ids: Vec<String> = ids.map(|id| changes::hex(id.as_bytes())).collect();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let rows = self.readers().query_all_raw(self.dialect().known_signals(&ids)).await?;
        rows.iter()
            .map(|row| Ok(SignalId::from_bytes(row.try_get::<Uuid>("", "id")?.into_bytes())))
            .collect()
    }

    /// What was answered to requests with these keys.
    pub(crate) async fn answered(
        &self,
        keys: &[(&'static str, &str)],
    ) -> Result<Vec<Answered>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.readers().query_all_raw(self.dialect().answered(keys)).await?;
        let mut answered = Vec::with_capacity(rows.len());
        for row in rows {
            let row = idempotency::Model::from_query_result(&row, "")?;
            let corrupt =
                |column| StoreError::Corrupt { table: "idempotency", column, row: row.key.clone() };
            let operation = keys.iter().find(|(operation, _)| *operation == row.operation);
            let (operation, _) = operation.ok_or_else(|| corrupt("operation"))?;
            let fingerprint = row.fingerprint.as_slice().try_into();
            let fingerprint = fingerprint.map_err(|_| corrupt("fingerprint"))?;
            answered.push(Answered {
                operation,
                fingerprint: u64::from_be_bytes(fingerprint),
                receipt: row.receipt.clone(),
                key: row.key,
            });
        }
        Ok(answered)
    }
}

/// Puts products and their releases together.
fn assemble(
    products: Vec<product::Model>,
    releases: Vec<release::Model>,
) -> Result<Vec<StoredProduct>, StoreError> {
    let mut by_product: HashMap<Uuid, Vec<release::Model>> = HashMap::new();
    for row in releases {
        by_product.entry(row.product_id).or_default().push(row);
    }
    products
        .into_iter()
        .map(|row| {
            let releases = by_product.remove(&row.id).unwrap_or_default();
            let settled = Reason::from_word(&row.settled_reason)
                .ok_or_else(|| StoreError::corrupt("product", "settled_reason", row.id))?;
            let revision = row.revision;
            let corrupt = || StoreError::corrupt("product", "policy", row.id);
            let policy = match &row.policy {
                Some(json) => policy::read(json).ok_or_else(corrupt)?,
                None => Settings::default(),
            };
            let product = Product::try_from(row)?;
            let (lineup, versions) = lineup(releases, settled)?;
            Ok(StoredProduct { product, revision, lineup, versions, policy })
        })
        .collect()
}

type LineupAndVersions = (Lineup, HashMap<Box<str>, ReleaseId>);

fn lineup(rows: Vec<release::Model>, settled: Reason) -> Result<LineupAndVersions, StoreError> {
    let (mut stable, mut stable_was_seen, mut open) = (None, false, None);
    let mut versions = HashMap::with_capacity(rows.len());
    for row in rows {
        let id = ReleaseId::from_bytes(row.id.into_bytes());
        versions.insert(row.semver_version.as_str().into(), id);
        let StoredRelease { release, signals, rollout } = row.try_into()?;
        if release.state.is_stable() {
            stable_was_seen = signals.total() > 0;
            stable = Some(release.into());
        } else if release.state.is_open() {
            let rollout =
                rollout.unwrap_or_else(|| Rollout::new(&release, None, false, &Before::default()));
            open = Some(Open { release: release.into(), rollout });
        }
    }
    Ok((Lineup::from_parts(stable, stable_was_seen, open, settled), versions))
}
