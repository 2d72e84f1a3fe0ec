//! Rows of keys.

use canary_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::access::Scopes;
use crate::key::{Key, KeyId, KeyName};
use crate::organization::OrganizationId;
use crate::store::{StoreError, StoredKey};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_key")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) organization_id: Uuid,
    pub(crate) name: String,
    pub(crate) scopes: String,
    #[sea_orm(unique)]
    pub(crate) prefix: String,
    /// SHA-256 of the whole key.
    pub(crate) hash: Vec<u8>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
    pub(crate) replaced_by: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for StoredKey {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("access_key", column, row.id);
        let key = Key {
            id: KeyId::from_uuid(row.id),
            name: KeyName::parse(row.name).map_err(|_| corrupt("name"))?,
            scopes: Scopes::read(&row.scopes),
            prefix: row.prefix,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_micros),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
            replaced_by: row.replaced_by.map(KeyId::from_uuid),
        };
        let hash = row.hash.as_slice().try_into().map_err(|_| corrupt("hash"))?;
        Ok(Self { key, organization: OrganizationId::from_uuid(row.organization_id), hash })
    }
}

impl From<&StoredKey> for ActiveModel {
    fn from(stored: &StoredKey) -> Self {
        let StoredKey { key, organization, hash } = stored;
        Self {
            id: Set(key.id.as_uuid()),
            organization_id: Set(organization.as_uuid()),
            name: Set(key.name.as_str().to_owned()),
            scopes: Set(key.scopes.write()),
            prefix: Set(key.prefix.clone()),
            hash: Set(hash.to_vec()),
            created_at: Set(key.created_at.as_micros()),
            expires_at: Set(key.expires_at.map(Timestamp::as_micros)),
            revoked_at: Set(key.revoked_at.map(Timestamp::as_micros)),
            replaced_by: Set(key.replaced_by.map(KeyId::as_uuid)),
        }
    }
}
