//! The part of a step that is about the audit: one entry for each change that somebody asked for.
//!
//! What changed nothing leaves none, and neither does what was refused.

use canary_core::lineup::{Effects, Lineup};
use canary_core::policy::Settings;
use canary_core::product::Product;
use canary_core::reading::ReadingType;
use canary_core::release::{Release, ReleaseId, State};
use canary_core::time::Timestamp;
use serde_json::{Value, json};

use super::Draft;
use super::asked::Asked;
use crate::api::moment;
use crate::audit::{About, Action, Change, Entry, Origin};
use crate::ingest::Fate;
use crate::live::Live;
use crate::store::policy_json;

/// The releases of a product that are in play, before something is done.
pub(super) struct Standing(Vec<(ReleaseId, State)>);

/// A release that is another than it was; `from` is its state before, `None` of a new one.
pub(super) struct Changed<'a> {
    release: &'a Release,
    from: Option<State>,
}

impl Standing {
    pub(super) fn of(lineup: &Lineup) -> Self {
        let open = lineup.open().map(|open| &open.release);
        let releases = lineup.stable().into_iter().chain(open);
        Self(releases.map(|release| (release.id, release.state)).collect())
    }

    /// What became of which releases, each once.
    pub(super) fn changed<'a>(&self, effects: &'a Effects) -> Vec<Changed<'a>> {
        let mut changed: Vec<Changed<'a>> = Vec::new();
        // Of several entries for one release the last holds.
        for release in effects.releases.iter().rev() {
            if changed.iter().all(|other| other.release.id != release.id) {
                let before = self.0.iter().find(|(id, _)| *id == release.id);
                changed.push(Changed { release, from: before.map(|(_, state)| *state) });
            }
        }
        changed.reverse();
        changed
    }
}

impl Draft {
    pub(super) fn note_product(&mut self, product: &Product, origin: &Origin, now: Timestamp) {
        let created = Change::created(json!({
            "name": product.name.as_str(),
            "repository_url": product.repository_url.as_str(),
            "artifact_url": product.artifact_url.as_str(),
        }));
        let about = About::new(&product.id, &product.name);
        self.note(Action::CreateProduct, origin, about, created, now);
    }

    /// To be called before the settings are taken over.
    pub(super) fn note_policy(
        &mut self,
        live: &Live,
        settings: &Settings,
        origin: &Origin,
        now: Timestamp,
    ) {
        let published = live.policy_settings();
        let before = self.changes.policies.get(&live.product.id).unwrap_or(&published);
        let (before, after) = (policy_json(before), policy_json(settings));
        if before != after {
            let about = About::new(&live.product.id, &live.product.name);
            let change = Change::of(Some(before), after);
            self.note(Action::SetPolicy, origin, about, change, now);
        }
    }

    pub(super) fn note_release(
        &mut self,
        product: &Product,
        release: &Release,
        changed: &[Changed<'_>],
        origin: &Origin,
        now: Timestamp,
    ) {
        let own = changed.iter().find(|changed| changed.release.id == release.id);
        let registered = own.map_or(release, |own| own.release);
        let mut after = json!({
            "version": registered.version.as_str(),
            "state": registered.state.as_str(),
            "is_canary": registered.is_canary,
            "threshold": registered.threshold.percent(),
            "canary_period": registered.canary_period.days(),
            "band_count": registered.band_count.get(),
            "release_date": moment::show(registered.release_date),
            "policy": policy_json(&registered.policy.settings()),
        });
        add_others(&mut after, release.id, changed);
        let about = about(product, release);
        self.note(Action::CreateRelease, origin, about, Change::created(after), now);
    }

    /// `release` as it was before.
    pub(super) fn note_act(
        &mut self,
        product: &Product,
        release: &Release,
        changed: &[Changed<'_>],
        asked: &Asked<'_>,
        now: Timestamp,
    ) {
        let own = changed.iter().find(|changed| changed.release.id == release.id);
        // It was in force already.
        let Some(own) = own else { return };
        let mut after = standing(own.release);
        add_others(&mut after, release.id, changed);
        let change = Change::of(Some(standing(release)), after).because(asked.reason);
        let about = about(product, release);
        self.note(asked.request.into(), asked.origin, about, change, now);
    }

    pub(super) fn declare_type(
        &mut self,
        kind: &ReadingType,
        origin: &Origin,
        now: Timestamp,
    ) -> Fate {
        let before = self.readings.declared(&kind.name);
        let receipt = self.readings.declare(kind)?;
        if before.as_ref() != Some(kind) {
            let change = Change::of(before.as_ref().map(values), values(kind));
            let about = About::new(&kind.name, &kind.name);
            self.note(Action::DeclareReadingType, origin, about, change, now);
        }
        Ok(receipt)
    }

    fn note(
        &mut self,
        action: Action,
        origin: &Origin,
        about: About,
        change: Change,
        now: Timestamp,
    ) {
        let id = self.identifiers.next(now);
        self.changes.audit.push(Entry::new(id, now, action, origin, about, change));
    }
}

fn about(product: &Product, release: &Release) -> About {
    About::new(&release.id, &format_args!("{} {}", product.name, release.version))
}

fn standing(release: &Release) -> Value {
    json!({"state": release.state.as_str(), "is_canary": release.is_canary})
}

/// What became of other releases with it.
fn add_others(after: &mut Value, own: ReleaseId, changed: &[Changed<'_>]) {
    let other = |changed: &Changed<'_>| {
        let Changed { release, from } = changed;
        json!({
            "id": release.id.to_string(),
            "version": release.version.as_str(),
            "from": from.map(State::as_str),
            "to": release.state.as_str(),
        })
    };
    let others = changed.iter().filter(|changed| changed.release.id != own);
    let others: Vec<Value> = others.map(other).collect();
    if !others.is_empty() {
        after["others"] = others.into();
    }
}

fn values(kind: &ReadingType) -> Value {
    json!({
        "unit": kind.unit.as_str(),
        "minimum": kind.minimum(),
        "maximum": kind.maximum(),
        "integer": kind.is_integer(),
    })
}
