//! Reads of what was committed, for answers that need not be fast.

use canary_core::product::{Product, ProductId};
use canary_core::release::ReleaseId;
use canary_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::entity::{decision, product, release};
use super::{Store, StoreError, StoredRelease};

/// A part of a longer list, and whether there is more.
pub(crate) struct PageOf<T> {
    pub(crate) items: Vec<T>,
    pub(crate) has_more: bool,
}

impl<T> PageOf<T> {
    /// Of `limit` rows and perhaps more.
    pub(crate) fn of(mut items: Vec<T>, limit: usize) -> Self {
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}

/// Which products are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProductFilter {
    pub(crate) name: Option<String>,
    pub(crate) artifact_url: Option<String>,
}

/// A decision as it was stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredDecision {
    pub(crate) at: Timestamp,
    pub(crate) action: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) actor: String,
    pub(crate) rule: String,
    pub(crate) sentence: String,
    /// What was known, as JSON.
    pub(crate) evidence: Option<String>,
}

impl From<decision::Model> for StoredDecision {
    fn from(row: decision::Model) -> Self {
        Self {
            at: Timestamp::from_micros(row.at),
            action: row.action,
            from: row.from_standing,
            to: row.to_standing,
            actor: row.actor,
            rule: row.rule,
            sentence: row.sentence,
            evidence: row.evidence,
        }
    }
}

impl Store {
    /// Products by name, `limit` of them after the one named `after`.
    pub(crate) async fn products(
        &self,
        filter: &ProductFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Product>, StoreError> {
        let mut query = product::Entity::find().order_by_asc(product::Column::Name);
        if let Some(name) = &filter.name {
            query = query.filter(product::Column::Name.eq(name));
        }
        if let Some(url) = &filter.artifact_url {
            query = query.filter(product::Column::ArtifactUrl.eq(url));
        }
        if let Some(after) = after {
            query = query.filter(product::Column::Name.gt(after));
        }
        let rows = query.limit(limit as u64 + 1).all(self.readers()).await?;
        let products: Result<Vec<Product>, StoreError> =
            rows.into_iter().map(TryInto::try_into).collect();
        Ok(PageOf::of(products?, limit))
    }

    /// Releases, newest first, `limit` of them after the given one.
    pub(crate) async fn releases(
        &self,
        product: Option<ProductId>,
        after: Option<(Timestamp, ReleaseId)>,
        limit: usize,
    ) -> Result<PageOf<StoredRelease>, StoreError> {
        let mut query = release::Entity::find()
            .order_by_desc(release::Column::RegisteredAt)
            .order_by_desc(release::Column::Id);
        if let Some(product) = product {
            let product = Uuid::from_bytes(*product.as_bytes());
            query = query.filter(release::Column::ProductId.eq(product));
        }
        if let Some((registered_at, id)) = after {
            let registered_at = registered_at.as_micros();
            let id = Uuid::from_bytes(*id.as_bytes());
            query = query.filter(
                Condition::any().add(release::Column::RegisteredAt.lt(registered_at)).add(
                    Condition::all()
                        .add(release::Column::RegisteredAt.eq(registered_at))
                        .add(release::Column::Id.lt(id)),
                ),
            );
        }
        let rows = query.limit(limit as u64 + 1).all(self.readers()).await?;
        let releases: Result<Vec<StoredRelease>, StoreError> =
            rows.into_iter().map(TryInto::try_into).collect();
        Ok(PageOf::of(releases?, limit))
    }

    /// A release as it was last committed.
    pub(crate) async fn release(&self, id: ReleaseId) -> Result<Option<StoredRelease>, StoreError> {
        let id = Uuid::from_bytes(*id.as_bytes());
        let row = release::Entity::find_by_id(id).one(self.readers()).await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The timeline of a release, oldest first.
    pub(crate) async fn decisions(
        &self,
        release: ReleaseId,
    ) -> Result<Vec<StoredDecision>, StoreError> {
        let rows = decision::Entity::find()
            .filter(decision::Column::ReleaseId.eq(Uuid::from_bytes(*release.as_bytes())))
            .order_by_asc(decision::Column::Number)
            .all(self.readers())
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The decisions that ended the rollouts of these releases, and that promoted them later, oldest
    /// first.
    pub(crate) async fn verdicts(
        &self,
        releases: &[ReleaseId],
    ) -> Result<Vec<(ReleaseId, StoredDecision)>, StoreError> {
        let ids = releases.iter().map(|id| Uuid::from_bytes(*id.as_bytes()));
        let rows = decision::Entity::find()
            .filter(decision::Column::ReleaseId.is_in(ids))
            .filter(decision::Column::Action.is_in(["promote", "rollback", "supersede"]))
            .order_by_asc(decision::Column::Number)
            .all(self.readers())
            .await?;
        let pair =
            |row: decision::Model| (ReleaseId::from_bytes(row.release_id.into_bytes()), row.into());
        Ok(rows.into_iter().map(pair).collect())
    }
}
