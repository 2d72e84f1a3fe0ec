//! What every read of a selection sees: one value per product, replaced whole after each commit.
//!
//! A reader takes one lock, for the time of a selection, and never touches the database.

mod judged;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use canary_core::lineup::Lineup;
use canary_core::policy::{Policy, Settings};
use canary_core::product::{Product, ProductId};
use canary_core::release::{Release, ReleaseId};
use canary_core::rollout::{Arm, Unreported};
use canary_core::select::quota::Outstanding;
use canary_core::select::{Asker, Reason};
use canary_core::time::Timestamp;

pub(crate) use self::judged::Judged;
use crate::readings::SeriesId;
use crate::store::StoredProduct;

/// A version that was chosen for one who asked.
pub(crate) struct Answer {
    pub(crate) release: Arc<Release>,
    pub(crate) band: Option<u16>,
    pub(crate) reason: Reason,
}

/// What changes of a product.
struct Standing {
    lineup: Arc<Lineup>,
    revision: i64,
    outstanding: Outstanding,
    /// What its releases are judged by where they say nothing.
    policy: Arc<Settings>,
}

/// One product, as it was last committed.
pub(crate) struct Live {
    pub(crate) product: Arc<Product>,
    standing: Mutex<Standing>,
    versions: RwLock<HashMap<Box<str>, ReleaseId>>,
    judges_readings: AtomicBool,
    judged: Mutex<Judged>,
}

/// A run that was reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported {
    pub(crate) arm: Arm,
    /// Who ran it, see [`InstanceId::key`](canary_core::signal::InstanceId::key).
    pub(crate) instance: u64,
}

fn judges_readings(lineup: &Lineup) -> bool {
    lineup.open().is_some_and(|open| open.rollout.judged_readings().next().is_some())
}

impl Live {
    fn new(stored: StoredProduct) -> Self {
        let StoredProduct { product, revision, lineup, versions, policy } = stored;
        let standing = Standing {
            lineup: Arc::new(lineup),
            revision,
            outstanding: Outstanding::default(),
            policy: Arc::new(policy),
        };
        Self {
            product: Arc::new(product),
            judges_readings: AtomicBool::new(judges_readings(&standing.lineup)),
            judged: Mutex::new(Judged::resumed(standing.lineup.open().map(|open| open.release.id))),
            standing: Mutex::new(standing),
            versions: RwLock::new(versions),
        }
    }

    /// No step panics while it holds the lock; if one ever did, the value is still whole, because
    /// it is replaced and not changed in place.
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses a version; `None` if the product has no active release.
    pub(crate) fn select(&self, asker: Asker<'_>, now: Timestamp) -> Option<Answer> {
        let standing = &mut *self.standing();
        let selection = standing.lineup.select(asker, &mut standing.outstanding, now)?;
        Some(Answer {
            release: selection.release.clone(),
            band: selection.band,
            reason: selection.reason,
        })
    }

    /// Since when the instance is awaited by name that is awaited for longest, with the releases of
    /// which it may report a run.
    pub(crate) fn oldest_awaited(&self) -> Option<(Timestamp, [ReleaseId; 2])> {
        let standing = self.standing();
        let oldest = standing.outstanding.awaited.oldest_name()?;
        let canary = standing.lineup.open()?.release.id;
        let stable = standing.lineup.stable().map_or(canary, |stable| stable.id);
        Some((oldest, [canary, stable]))
    }

    /// Takes note that an instance has reported a run, perhaps to another server.
    pub(crate) fn heard_from(&self, instance: u64, at: Timestamp) {
        self.standing().outstanding.awaited.heard_from(instance, at);
    }

    /// Takes out the answers that were not reported in time; nothing while no canary is open.
    pub(crate) fn take_overdue(&self, now: Timestamp) -> Unreported {
        let standing = &mut *self.standing();
        if standing.lineup.open().is_none() {
            return Unreported::default();
        }
        standing.outstanding.awaited.take_overdue(now)
    }

    /// Puts back what [`Self::take_overdue`] took out and could not be stored.
    pub(crate) fn put_back(&self, overdue: Unreported) {
        self.standing().outstanding.awaited.put_back(overdue);
    }

    /// Up to when readings were judged.
    pub(crate) fn judged(&self) -> MutexGuard<'_, Judged> {
        // No step panics while it holds the lock.
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the readings that were judged with a commit: of each series, the first second
    /// that is still to be judged.
    pub(crate) fn note_judged(
        &self,
        canary: ReleaseId,
        from: u32,
        next: impl Iterator<Item = (SeriesId, u32)>,
    ) {
        self.judged().note(canary, from, next);
    }

    /// Whether the open canary's policy judges readings.
    fn judges_readings(&self) -> bool {
        self.judges_readings.load(Ordering::Relaxed)
    }

    /// The lineup and its revision, as they were last committed.
    pub(crate) fn lineup(&self) -> (Arc<Lineup>, i64) {
        let standing = self.standing();
        (standing.lineup.clone(), standing.revision)
    }

    /// What was set of the policy that releases have where they say nothing.
    pub(crate) fn policy_settings(&self) -> Arc<Settings> {
        self.standing().policy.clone()
    }

    /// The policy that releases have where they say nothing.
    pub(crate) fn default_policy(&self) -> Policy {
        // Settings were checked when they were made.
        Policy::default().with(&self.policy_settings()).unwrap_or_default()
    }

    /// Shows settings that were committed.
    pub(crate) fn publish_policy(&self, settings: Settings) {
        self.standing().policy = Arc::new(settings);
    }

    /// The release with this version, to the letter.
    pub(crate) fn version(&self, version: &str) -> Option<ReleaseId> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).get(version).copied()
    }

    /// Shows what was committed. `reported` holds the runs that were reported with it.
    pub(crate) fn publish(&self, lineup: Arc<Lineup>, revision: i64, reported: &[Reported]) {
        let mut standing = self.standing();
        // What another server changed may be read before a commit of our own, and come after it.
        if revision < standing.revision {
            return;
        }
        let open_of = |lineup: &Lineup| lineup.open().map(|open| open.release.id);
        if open_of(&standing.lineup) == open_of(&lineup) {
            for Reported { arm, instance } in reported {
                standing.outstanding.report(*arm);
                standing.outstanding.awaited.report(*arm, *instance);
            }
        } else {
            // Answers of another rollout say nothing about this one.
            standing.outstanding = Outstanding::default();
        }
        self.judges_readings.store(judges_readings(&lineup), Ordering::Relaxed);
        standing.lineup = lineup;
        standing.revision = revision;
    }

    /// Shows versions that were registered.
    pub(crate) fn publish_versions(
        &self,
        versions: impl IntoIterator<Item = (Box<str>, ReleaseId)>,
    ) {
        self.versions.write().unwrap_or_else(PoisonError::into_inner).extend(versions);
    }
}

/// Every product, by each of its names.
#[derive(Default)]
pub(crate) struct Directory(RwLock<Index>);

#[derive(Default)]
struct Index {
    by_id: HashMap<ProductId, Arc<Live>>,
    by_name: HashMap<Box<str>, Arc<Live>>,
    by_artifact_url: HashMap<Box<str>, Arc<Live>>,
}

impl Directory {
    fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A product by its identifier.
    pub(crate) fn by_id(&self, id: ProductId) -> Option<Arc<Live>> {
        self.read(|index| index.by_id.get(&id).cloned())
    }

    /// A product by its artifact's address, as signals and releases name it.
    pub(crate) fn by_artifact_url(&self, url: &str) -> Option<Arc<Live>> {
        self.read(|index| index.by_artifact_url.get(url).cloned())
    }

    /// A product by its name.
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<Live>> {
        self.read(|index| index.by_name.get(name).cloned())
    }

    /// A product by its name, its identifier or its artifact's address, in this order.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<Live>> {
        self.read(|index| {
            index
                .by_name
                .get(key)
                .or_else(|| index.by_id.get(&ProductId::parse(key).ok()?))
                .or_else(|| index.by_artifact_url.get(key))
                .cloned()
        })
    }

    /// The products whose canaries are judged by readings, too.
    pub(crate) fn judging_readings(&self) -> Vec<Arc<Live>> {
        self.read(|index| {
            index.by_id.values().filter(|live| live.judges_readings()).cloned().collect()
        })
    }

    /// Every product, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.read(|index| index.by_id.values().cloned().collect())
    }

    /// Of products at these revisions, those that are shown at others, or not at all.
    pub(crate) fn not_at(
        &self,
        revisions: impl IntoIterator<Item = (ProductId, i64)>,
    ) -> Vec<ProductId> {
        let is_other = |(id, revision): (ProductId, i64)| {
            let shown = self.by_id(id).map(|live| live.lineup().1);
            (shown != Some(revision)).then_some(id)
        };
        revisions.into_iter().filter_map(is_other).collect()
    }

    /// Shows a product as another process has left it.
    pub(crate) fn renew(&self, stored: StoredProduct) {
        match self.by_id(stored.product.id) {
            None => self.publish(stored),
            Some(live) if live.lineup().1 >= stored.revision => {}
            Some(live) => {
                live.publish_versions(stored.versions);
                live.publish_policy(stored.policy);
                live.publish(Arc::new(stored.lineup), stored.revision, &[]);
            }
        }
    }

    /// Shows a product that was committed.
    pub(crate) fn publish(&self, stored: StoredProduct) {
        let live = Arc::new(Live::new(stored));
        let Product { id, name, artifact_url, .. } = &*live.product;
        let mut index = self.0.write().unwrap_or_else(PoisonError::into_inner);
        index.by_id.insert(*id, live.clone());
        index.by_name.insert(name.as_str().into(), live.clone());
        index.by_artifact_url.insert(artifact_url.as_str().into(), live.clone());
    }
}
