//! Rows of organizations.

use canary_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::organization::{Organization, OrganizationId, OrganizationName};
use crate::store::StoreError;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique)]
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Organization {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let corrupt = |_| StoreError::corrupt("organization", "name", row.id);
        Ok(Self {
            id: OrganizationId::from_uuid(row.id),
            name: OrganizationName::parse(row.name).map_err(corrupt)?,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl From<&Organization> for ActiveModel {
    fn from(organization: &Organization) -> Self {
        Self {
            id: Set(organization.id.as_uuid()),
            name: Set(organization.name.as_str().to_owned()),
            created_at: Set(organization.created_at.as_micros()),
        }
    }
}
