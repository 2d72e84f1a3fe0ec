//! The step of a commit: works in order, on copies of the lineups they touch.
//!
//! Nothing here has an effect until the transaction is through: a draft is thrown away, or
//! published.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use canary_core::lineup::{Effects, Lineup};
use canary_core::policy::Settings;
use canary_core::product::{Product, ProductId};
use canary_core::release::ReleaseId;
use canary_core::rollout::{Arm, Unreported};
use canary_core::signal::SignalId;
use canary_core::time::Timestamp;

use super::readings::ReadingDraft;
use super::{Fate, IdempotencyKey, IngestError, NewSignal, Receipt, Rejected, Submission, Work};
use crate::audit::Origin;
use crate::identify::Identifiers;
use crate::live::{Directory, Live, Reported};
use crate::store::{
    Answered, Changes, CountedSignal, LineupRow, NewProduct, Store, StoreError, StoredProduct,
};

/// A product that this commit touches.
struct Touched {
    live: Arc<Live>,
    before: Arc<Lineup>,
    lineup: Lineup,
    revision: i64,
    /// Versions that came since the lineup was published.
    versions: HashMap<Box<str>, ReleaseId>,
    reported: Vec<Reported>,
    /// Whether something else of the product changes, so that other processes must hear of it.
    is_set_anew: bool,
}

impl Touched {
    /// Does what time alone has brought about.
    fn tick(&mut self, now: Timestamp) -> Effects {
        let mut effects = Effects::default();
        self.lineup.tick(now, &mut effects);
        effects
    }
}

mod asked;
mod audited;
mod judged;

use self::asked::Asked;
use self::judged::Watch;

/// What a commit is about to do.
pub(super) struct Draft {
    pub(super) changes: Changes,
    pub(super) duplicates: usize,
    readings: ReadingDraft,
    /// For entries of the audit.
    identifiers: Arc<Identifiers>,
    /// The products whose canaries are judged by readings, too.
    watching: Vec<Watch>,
    touched: HashMap<ProductId, Touched>,
    known_signals: HashSet<SignalId>,
    answered: HashMap<(&'static str, String), (u64, Receipt)>,
    taken_names: HashSet<Box<str>>,
    taken_urls: HashSet<Box<str>>,
}

impl Draft {
    /// Copies the lineups that the batch touches, as they were last committed.
    ///
    /// Whether signals that have identifiers of their callers are stored already is asked only if
    /// `look_up` says so: hardly any are, and if one is, the commit tells.
    pub(super) async fn load(
        store: &Store,
        directory: &Directory,
        readings: ReadingDraft,
        identifiers: Arc<Identifiers>,
        batch: &[Submission],
        look_up: bool,
    ) -> Result<Self, StoreError> {
        let mut draft = Self {
            changes: Changes::default(),
            duplicates: 0,
            readings,
            identifiers,
            watching: Vec::new(),
            touched: HashMap::new(),
            known_signals: HashSet::new(),
            answered: HashMap::new(),
            taken_names: HashSet::new(),
            taken_urls: HashSet::new(),
        };
        let (mut own_ids, mut has_readings) = (Vec::new(), false);
        for submission in batch {
            match &submission.work {
                Work::Signals { signals, .. } => {
                    for NewSignal { live, signal, has_own_id } in signals {
                        draft.touch(live);
                        own_ids.extend((look_up && *has_own_id).then_some(signal.id));
                    }
                }
                Work::Release { live, .. }
                | Work::Act { live, .. }
                | Work::Policy { live, .. }
                | Work::Unreported { live, .. } => draft.touch(live),
                Work::Tick(products) => products.iter().for_each(|live| draft.touch(live)),
                Work::Product { product, .. } => draft.note_taken(directory, product),
                Work::Readings { .. } => has_readings = true,
                Work::DeclareType { .. } | Work::Fold(_) => {}
            }
        }
        if has_readings {
            draft.watch_readings(directory);
        }
        draft.load_answers(store, batch).await?;
        draft.known_signals = store.known_signals(own_ids.into_iter()).await?;
        Ok(draft)
    }

    fn touch(&mut self, live: &Arc<Live>) {
        self.touched.entry(live.product.id).or_insert_with(|| {
            let (before, revision) = live.lineup();
            Touched {
                live: live.clone(),
                lineup: Lineup::clone(&before),
                before,
                revision,
                versions: HashMap::new(),
                reported: Vec::new(),
                is_set_anew: false,
            }
        });
    }

    fn note_taken(&mut self, directory: &Directory, product: &Product) {
        if directory.by_name(product.name.as_str()).is_some() {
            self.taken_names.insert(product.name.as_str().into());
        }
        if directory.by_artifact_url(product.artifact_url.as_str()).is_some() {
            self.taken_urls.insert(product.artifact_url.as_str().into());
        }
    }

    /// Does one work; an error that is not the work's own fails the whole commit.
    pub(super) async fn apply(
        &mut self,
        store: &Store,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        if let Some(key) = &submission.key
            && let Some(fate) = self.answered_before(key)
        {
            return Ok(fate);
        }
        let fate = match &submission.work {
            Work::Signals { signals, rejected } => Ok(self.count(signals, rejected, now)),
            Work::Product { product, origin } => self.register_product(product, origin, now),
            Work::Release { live, release, before, origin } => {
                self.register_release(live, release, before, origin, now)
            }
            Work::Policy { live, settings, origin } => {
                self.set_policy(live, settings, origin, now);
                Ok(Receipt::PolicySet)
            }
            Work::Act { live, release, request, reason, origin } => {
                let asked = Asked { request: *request, reason, origin };
                self.act(store, live, *release, &asked, now).await?
            }
            Work::Tick(products) => {
                self.tick(products, now);
                Ok(Receipt::Ticked)
            }
            Work::Unreported { live, overdue } => {
                self.count_unreported(live, *overdue, now);
                Ok(Receipt::Ticked)
            }
            Work::Readings { points, rejected } => {
                let before = self.readings.len();
                let fate = self.readings.take(points, rejected);
                self.judge_readings(before, now);
                fate
            }
            Work::DeclareType { kind, origin } => self.declare_type(kind, origin, now),
            Work::Fold(step) => self.readings.fold(step),
        };
        if let (Some(key), Ok(receipt)) = (&submission.key, &fate) {
            self.note_answer(key, receipt);
        }
        Ok(fate)
    }

    /// Reads what was answered to requests whose keys come again.
    async fn load_answers(
        &mut self,
        store: &Store,
        batch: &[Submission],
    ) -> Result<(), StoreError> {
        let keys = batch.iter().filter_map(|submission| submission.key.as_ref());
        let keys: Vec<_> = keys.map(|key| (key.operation, key.key.as_str())).collect();
        for Answered { operation, key, fingerprint, receipt } in store.answered(&keys).await? {
            let receipt = serde_json::from_str(&receipt).map_err(|_| {
                let row = key.clone();
                StoreError::Corrupt { table: "idempotency", column: "receipt", row }
            })?;
            self.answered.insert((operation, key), (fingerprint, receipt));
        }
        Ok(())
    }

    /// The fate of a request with this key, if one came before.
    fn answered_before(&self, key: &IdempotencyKey) -> Option<Fate> {
        let (fingerprint, receipt) = self.answered.get(&(key.operation, key.key.clone()))?;
        Some(if *fingerprint == key.fingerprint {
            Ok(receipt.clone())
        } else {
            Err(IngestError::KeyReused(key.key.clone()))
        })
    }

    fn note_answer(&mut self, key: &IdempotencyKey, receipt: &Receipt) {
        let IdempotencyKey { operation, key, fingerprint } = key.clone();
        self.changes.answered.push(Answered {
            operation,
            key: key.clone(),
            fingerprint,
            // Words and numbers always become JSON.
            receipt: serde_json::to_string(receipt).unwrap_or_default(),
        });
        self.answered.insert((operation, key), (fingerprint, receipt.clone()));
    }

    fn count(&mut self, signals: &[NewSignal], rejected: &[Rejected], now: Timestamp) -> Receipt {
        let (mut accepted, mut duplicates) = (0, 0);
        for NewSignal { live, signal, has_own_id } in signals {
            if *has_own_id && !self.known_signals.insert(signal.id) {
                duplicates += 1;
                continue;
            }
            let Some(touched) = self.touched.get_mut(&live.product.id) else { continue };
            touched.reported.extend(
                touched
                    .lineup
                    .arm(signal.release)
                    .map(|arm| Reported { arm, instance: signal.instance.key() }),
            );
            let mut effects = Effects::default();
            let band = touched.lineup.observe(signal.release, signal, now, &mut effects);
            self.changes.absorb(effects);
            self.changes.counts.entry(signal.release).or_default().add(signal.status);
            let signal = signal.clone();
            self.changes.signals.push(CountedSignal { signal, band, received_at: now });
            accepted += 1;
        }
        self.duplicates += duplicates;
        let id = match signals {
            [only] => Some(only.signal.id.to_string()),
            _ => None,
        };
        let duplicates = duplicates as u64;
        Receipt::Signals { id, accepted, duplicates, rejected: rejected.to_vec() }
    }

    fn register_product(&mut self, product: &Product, origin: &Origin, now: Timestamp) -> Fate {
        let (name, url) = (product.name.as_str(), product.artifact_url.as_str());
        if self.taken_names.contains(name) {
            return Err(IngestError::NameTaken(name.to_owned()));
        }
        if self.taken_urls.contains(url) {
            return Err(IngestError::ArtifactUrlTaken(url.to_owned()));
        }
        self.taken_names.insert(name.into());
        self.taken_urls.insert(url.into());
        self.changes.products.push(NewProduct { product: product.clone(), registered_at: now });
        self.note_product(product, origin, now);
        Ok(Receipt::Product { id: product.id.to_string() })
    }

    /// Sets what releases of a product are judged by where they say nothing.
    fn set_policy(
        &mut self,
        live: &Arc<Live>,
        settings: &Settings,
        origin: &Origin,
        now: Timestamp,
    ) {
        self.note_policy(live, settings, origin, now);
        self.changes.policies.insert(live.product.id, settings.clone());
        if let Some(touched) = self.touched.get_mut(&live.product.id) {
            touched.is_set_anew = true;
        }
    }

    /// Counts answers that were not reported in time.
    fn count_unreported(&mut self, live: &Arc<Live>, overdue: Unreported, now: Timestamp) {
        let Some(touched) = self.touched.get_mut(&live.product.id) else { return };
        let mut effects = Effects::default();
        for (arm, answers) in [(Arm::Stable, overdue.stable), (Arm::Canary, overdue.canary)] {
            if answers > 0 {
                touched.lineup.observe_unreported(arm, answers, now, &mut effects);
            }
        }
        self.changes.absorb(effects);
    }

    fn tick(&mut self, products: &[Arc<Live>], now: Timestamp) {
        for live in products {
            if let Some(touched) = self.touched.get_mut(&live.product.id) {
                self.changes.absorb(touched.tick(now));
            }
        }
    }

    /// Notes the rollouts and the standings of the lineups that changed, and packs the readings.
    pub(super) async fn finish(&mut self) -> Result<(), StoreError> {
        self.readings.finish().await?;
        self.changes.readings = std::mem::take(&mut self.readings.changes);
        for (product, touched) in &mut self.touched {
            let has_news = touched.is_set_anew || !touched.versions.is_empty();
            let before = touched.revision;
            let mut row = LineupRow {
                product: *product,
                before,
                revision: before,
                settled: touched.lineup.settled(),
            };
            if touched.lineup == *touched.before && !has_news {
                self.changes.unchanged.push(row);
                continue;
            }
            touched.revision += 1;
            row.revision = touched.revision;
            if let Some(open) = touched.lineup.open() {
                self.changes.rollouts.insert(open.release.id, open.rollout.clone());
            }
            self.changes.lineups.push(row);
        }
        Ok(())
    }

    /// Shows what was committed; whether a release or its schedule changed.
    pub(super) fn publish(self, directory: &Directory, now: Timestamp) -> bool {
        let has_news = !self.changes.releases.is_empty() || !self.changes.decisions.is_empty();
        for watch in &self.watching {
            if let Some(touched) = self.touched.get(&watch.product()) {
                watch.publish(&touched.live);
            }
        }
        for touched in self.touched.into_values() {
            let Touched { live, lineup, revision, versions, reported, .. } = touched;
            live.publish(Arc::new(lineup), revision, &reported);
            if let Some(settings) = self.changes.policies.get(&live.product.id) {
                live.publish_policy(settings.clone());
            }
            if !versions.is_empty() {
                live.publish_versions(versions);
            }
        }
        for new in self.changes.products {
            directory.publish(StoredProduct {
                product: new.product,
                revision: 0,
                lineup: Lineup::default(),
                versions: HashMap::new(),
                policy: Settings::default(),
            });
        }
        self.readings.publish(self.changes.readings, now);
        has_news
    }
}
