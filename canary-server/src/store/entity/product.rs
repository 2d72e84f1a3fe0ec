//! Rows of products.

use canary_core::product::{ArtifactUrl, Product, ProductId, ProductName, RepositoryUrl};
use sea_orm::entity::prelude::*;

use crate::store::StoreError;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique)]
    pub(crate) name: String,
    pub(crate) repository_url: String,
    #[sea_orm(unique)]
    pub(crate) artifact_url: String,
    pub(crate) registered_at: i64,
    /// Grows with each change of the product's lineup.
    pub(crate) revision: i64,
    pub(crate) settled_reason: String,
    /// What its releases are judged by where they say nothing, as JSON, see
    /// [`policy`](super::policy).
    pub(crate) policy: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Product {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("product", column, row.id);
        Ok(Self {
            id: ProductId::from_bytes(row.id.into_bytes()),
            name: ProductName::parse(row.name).map_err(|_| corrupt("name"))?,
            repository_url: RepositoryUrl::parse(row.repository_url)
                .map_err(|_| corrupt("repository_url"))?,
            artifact_url: ArtifactUrl::parse(row.artifact_url)
                .map_err(|_| corrupt("artifact_url"))?,
        })
    }
}
