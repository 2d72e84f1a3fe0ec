//! What somebody asks for of releases: to register one, or to act on one.

use std::sync::Arc;

use canary_core::judge::rules::Before;
use canary_core::lineup::{Effects, Request};
use canary_core::release::{Release, ReleaseId};
use canary_core::time::Timestamp;

use super::Draft;
use super::audited::Standing;
use crate::audit::Origin;
use crate::ingest::{Fate, IngestError, Receipt};
use crate::live::Live;
use crate::store::{Store, StoreError};

/// What a person asks for of a release, why, and who.
pub(super) struct Asked<'a> {
    pub(super) request: Request,
    pub(super) reason: &'a str,
    pub(super) origin: &'a Origin,
}

impl Draft {
    pub(super) fn register_release(
        &mut self,
        live: &Arc<Live>,
        release: &Release,
        before: &Before,
        origin: &Origin,
        now: Timestamp,
    ) -> Fate {
        let taken = || IngestError::VersionTaken {
            product: live.product.name.to_string(),
            version: release.version.clone(),
        };
        let touched = self.touched.get_mut(&live.product.id).ok_or_else(taken)?;
        let version = release.version.as_str();
        if live.version(version).is_some() || touched.versions.contains_key(version) {
            return Err(taken());
        }
        self.changes.absorb(touched.tick(now));
        let standing = Standing::of(&touched.lineup);
        let mut effects = Effects::default();
        let registered = touched.lineup.register(release.clone(), before, now, &mut effects);
        if registered.is_ok() {
            touched.versions.insert(version.into(), release.id);
            self.changes.registered.push(release.id);
            self.note_release(&live.product, release, &standing.changed(&effects), origin, now);
        }
        self.changes.absorb(effects);
        registered?;
        Ok(Receipt::Release { id: release.id.to_string() })
    }

    pub(super) async fn act(
        &mut self,
        store: &Store,
        live: &Arc<Live>,
        id: ReleaseId,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        let unknown = || Ok(Err(IngestError::UnknownRelease(id)));
        let Some(touched) = self.touched.get_mut(&live.product.id) else { return unknown() };
        // What was due may end the canary just now; that is nobody's doing.
        self.changes.absorb(touched.tick(now));
        let release = match self.changes.releases.get(&id) {
            Some(changed) => changed.clone(),
            None => match store.release(id).await? {
                Some(stored) => stored.release,
                None => return unknown(),
            },
        };
        let standing = Standing::of(&touched.lineup);
        let mut effects = Effects::default();
        let Asked { request, reason, .. } = *asked;
        let acted = touched.lineup.act(request, &release, reason, now, &mut effects);
        if acted.is_ok() {
            self.note_act(&live.product, &release, &standing.changed(&effects), asked, now);
        }
        self.changes.absorb(effects);
        Ok(match acted {
            Ok(()) => Ok(Receipt::Acted { id: id.to_string() }),
            Err(error) => Err(error.into()),
        })
    }
}
