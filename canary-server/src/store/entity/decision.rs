//! Rows of decisions.

use canary_core::decision::Decision;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;

use crate::evidence::EvidenceBody;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "decision")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) number: i64,
    pub(crate) release_id: Uuid,
    pub(crate) at: i64,
    pub(crate) action: String,
    pub(crate) from_standing: String,
    pub(crate) to_standing: String,
    pub(crate) actor: String,
    pub(crate) rule: String,
    pub(crate) sentence: String,
    /// What was known, as the API shows it.
    pub(crate) evidence: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Decision> for ActiveModel {
    fn from(decision: &Decision) -> Self {
        let evidence = decision.evidence.as_ref().map(EvidenceBody::from);
        Self {
            number: NotSet,
            release_id: Set(Uuid::from_bytes(*decision.release.as_bytes())),
            at: Set(decision.at.as_micros()),
            action: Set(decision.action.as_str().to_owned()),
            from_standing: Set(decision.from.to_string()),
            to_standing: Set(decision.to.to_string()),
            actor: Set(decision.actor.as_str().to_owned()),
            rule: Set(decision.rule.as_str().to_owned()),
            sentence: Set(decision.sentence.clone()),
            // Counts and finite numbers always become JSON.
            evidence: Set(evidence.and_then(|evidence| serde_json::to_string(&evidence).ok())),
        }
    }
}
