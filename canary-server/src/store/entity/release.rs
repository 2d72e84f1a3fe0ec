//! Rows of releases.

use canary_core::product::ProductId;
use canary_core::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
use canary_core::rollout::{Counts, Rollout};
use canary_core::time::Timestamp;
use canary_core::version::Version;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::policy;
use crate::store::StoreError;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "release")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) product_id: Uuid,
    pub(crate) semver_version: String,
    pub(crate) state: String,
    pub(crate) is_canary: bool,
    pub(crate) threshold: f64,
    pub(crate) canary_period: f64,
    pub(crate) band_count: i32,
    pub(crate) release_date: i64,
    pub(crate) registered_at: i64,
    /// The policy as JSON, see [`policy`].
    pub(crate) policy: String,
    pub(crate) success: i64,
    pub(crate) failed: i64,
    pub(crate) neutral: i64,
    /// The byte form of the rollout; nothing for a release that never was a canary.
    pub(crate) rollout: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A release with what was counted of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredRelease {
    pub(crate) release: Release,
    /// All its signals, judged or not.
    pub(crate) signals: Counts,
    pub(crate) rollout: Option<Rollout>,
}

impl TryFrom<Model> for StoredRelease {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("release", column, row.id);
        let count = |column, number| u64::try_from(number).map_err(|_| corrupt(column));
        let release = Release {
            id: ReleaseId::from_bytes(row.id.into_bytes()),
            product: ProductId::from_bytes(row.product_id.into_bytes()),
            version: Version::parse(row.semver_version).map_err(|_| corrupt("semver_version"))?,
            state: State::from_word(&row.state).ok_or_else(|| corrupt("state"))?,
            is_canary: row.is_canary,
            threshold: Threshold::parse(row.threshold).map_err(|_| corrupt("threshold"))?,
            canary_period: CanaryPeriod::parse(row.canary_period)
                .map_err(|_| corrupt("canary_period"))?,
            band_count: BandCount::parse(i64::from(row.band_count))
                .map_err(|_| corrupt("band_count"))?,
            release_date: Timestamp::from_micros(row.release_date),
            registered_at: Timestamp::from_micros(row.registered_at),
            policy: policy::read_whole(&row.policy).ok_or_else(|| corrupt("policy"))?,
        };
        let signals = Counts {
            success: count("success", row.success)?,
            failed: count("failed", row.failed)?,
            neutral: count("neutral", row.neutral)?,
        };
        let rollout = match row.rollout {
            Some(bytes) => Some(Rollout::decode(&bytes, &release).map_err(|_| corrupt("rollout"))?),
            None => None,
        };
        Ok(Self { release, signals, rollout })
    }
}

/// The row of a release that was just registered; its counts and its rollout are written with
/// those of all others.
impl From<&Release> for ActiveModel {
    fn from(release: &Release) -> Self {
        let policy = policy::write(&release.policy.settings());
        Self {
            id: Set(Uuid::from_bytes(*release.id.as_bytes())),
            product_id: Set(Uuid::from_bytes(*release.product.as_bytes())),
            semver_version: Set(release.version.as_str().to_owned()),
            state: Set(release.state.as_str().to_owned()),
            is_canary: Set(release.is_canary),
            threshold: Set(release.threshold.percent()),
            canary_period: Set(release.canary_period.days()),
            band_count: Set(i32::from(release.band_count.get())),
            release_date: Set(release.release_date.as_micros()),
            registered_at: Set(release.registered_at.as_micros()),
            policy: Set(policy),
            success: Set(0),
            failed: Set(0),
            neutral: Set(0),
            rollout: Set(None),
        }
    }
}
