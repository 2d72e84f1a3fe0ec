//! Group commit: what gathers while one commit runs is the next one.
//!
//! Every waiter hears the fate of its own work.
//! A work that is refused is refused alone; a commit that fails is told to everybody in it, and
//! nothing of it has happened. While a PostgreSQL starts again, a commit waits for it.
//! When every entrance is gone the last batch is written before the task ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use canary_core::product::ProductId;
use canary_core::time::Timestamp;
use tokio::sync::{Notify, mpsc};
use tracing::{debug, error, info};

use super::apply::Draft;
use super::contention::Contention;
use super::inbox::Inbox;
use super::patience::Patience;
use super::readings::ReadingDraft;
use super::{Fate, IngestError, Submission, Tally, Work};
use crate::clock::Clock;
use crate::identify::Identifiers;
use crate::live::Directory;
use crate::readings::Readings;
use crate::store::{Dialect, Hold, Store, StoreError};

/// How often a commit that failed is tried in all.
const TRIES: u32 = 3;

/// The one who writes.
pub(super) struct Writer {
    pub(super) store: Arc<Store>,
    pub(super) directory: Arc<Directory>,
    pub(super) readings: Arc<Readings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) changed: Arc<Notify>,
    pub(super) tally: Arc<Tally>,
    /// For how many commits more signals are looked up before they are inserted.
    pub(super) wary: AtomicU32,
    /// For entries of the audit.
    pub(super) identifiers: Arc<Identifiers>,
    pub(super) patience: Patience,
    pub(super) contention: Contention,
}

/// For how many commits after a signal came again others are expected to: whoever sends a part
/// again mostly sends all of it again.
const WARY_COMMITS: u32 = 16;

impl Writer {
    /// Commits until every entrance is gone and the queue is empty.
    pub(super) async fn run(self, queue: mpsc::UnboundedReceiver<Submission>) {
        let mut inbox = Inbox::of(queue);
        while let Some(mut batch) = inbox.fill().await {
            let fates = self.commit_retrying(&mut batch, &mut inbox).await;
            for (submission, fate) in batch.into_iter().zip(fates) {
                // Who no longer waits does not need to know.
                let _ = submission.waiter.send(fate);
            }
        }
    }

    /// A step has no effect of its own, so that a commit that failed can be tried again.
    async fn commit_retrying(&self, batch: &mut Vec<Submission>, inbox: &mut Inbox) -> Vec<Fate> {
        if let Err(cause) = self.patience.has_hope(&self.store).await {
            return self.give_up(batch, cause);
        }
        let mut attempt = 1;
        loop {
            match self.commit(batch, inbox).await {
                Ok(fates) => {
                    self.patience.end();
                    return fates;
                }
                Err(cause @ StoreError::Unavailable(_))
                    if self.store.dialect() == Dialect::Postgres =>
                {
                    if !self.patience.wait(&self.store, &cause).await {
                        return self.give_up(batch, cause);
                    }
                    continue;
                }
                // With the lock there is nobody to meet.
                Err(StoreError::LockNeeded) => {
                    self.contention.meet();
                    continue;
                }
                Err(StoreError::KnownSignal) if attempt < TRIES => {
                    self.wary.store(WARY_COMMITS, Ordering::Relaxed);
                }
                // It may have been stored: only who asked for it can ask again.
                Err(cause @ StoreError::OutcomeUnknown) => {
                    self.patience.lose();
                    return self.give_up(batch, cause);
                }
                Err(cause) if attempt == TRIES => return self.give_up(batch, cause),
                Err(cause) => {
                    info!(batch.size = batch.len(), attempt, %cause, "commit failed, trying again");
                    self.catch_up(&cause).await;
                }
            }
            attempt += 1;
        }
    }

    /// Tells everybody that it failed.
    fn give_up(&self, batch: &[Submission], cause: StoreError) -> Vec<Fate> {
        error!(batch.size = batch.len(), %cause, "commit failed");
        Tally::add(&self.tally.failed_commits, 1);
        let cause = Arc::new(cause);
        batch.iter().map(|_| Err(IngestError::Store(cause.clone()))).collect()
    }

    /// Reads again what another process has changed.
    async fn catch_up(&self, cause: &StoreError) {
        if !matches!(cause, StoreError::Stale) {
            return;
        }
        match self.store.load().await {
            Ok(products) => products.into_iter().for_each(|stored| self.directory.renew(stored)),
            Err(cause) => info!(%cause, "what another process has changed could not be read"),
        }
        if let Err(cause) = self.readings.catch_up(&self.store, self.clock.now()).await {
            info!(%cause, "the readings of another process could not be read");
        }
    }

    /// Load, pure step, save, show.
    async fn commit(
        &self,
        batch: &mut Vec<Submission>,
        inbox: &mut Inbox,
    ) -> Result<Vec<Fate>, StoreError> {
        let now = self.clock.now();
        let wary = self.wary.load(Ordering::Relaxed);
        self.wary.store(wary.saturating_sub(1), Ordering::Relaxed);
        let hold = self.hold(batch, inbox).await?;
        let expected = batch.iter().map(|submission| submission.work.readings()).sum();
        let readings = ReadingDraft::new(self.readings.clone(), expected);
        let identifiers = self.identifiers.clone();
        let mut draft =
            Draft::load(&self.store, &self.directory, readings, identifiers, batch, wary > 0)
                .await?;
        let mut fates = Vec::with_capacity(batch.len());
        for submission in batch.iter() {
            fates.push(draft.apply(&self.store, submission, now).await?);
        }
        draft.finish().await?;
        let _changing = self.readings.changing().await;
        if draft.changes.is_empty() {
            hold.let_go().await?;
        } else {
            self.store.commit(hold, &draft.changes, now).await?;
            self.tell(&draft, batch, now);
        }
        Tally::add(&self.tally.duplicates, draft.duplicates);
        if draft.publish(&self.directory, now) {
            self.changed.notify_one();
        }
        Ok(fates)
    }

    /// Locks what the batch steps, and reads anew what other servers have changed of it.
    ///
    /// What came meanwhile and needs no other lock joins the batch: while other servers commit there
    /// is time to gather more, so that each commit of theirs and ours is for many.
    async fn hold(
        &self,
        batch: &mut Vec<Submission>,
        inbox: &mut Inbox,
    ) -> Result<Hold, StoreError> {
        if self.store.dialect() == Dialect::Sqlite {
            // One process writes: nothing is locked, and nothing to be found out for it.
            return Ok(Hold::File);
        }
        let stepped = stepped(batch, &self.directory);
        if may_be_optimistic(batch, &stepped) && !self.contention.is_expected() {
            return Ok(Hold::Optimistic);
        }
        let with_readings = batch.iter().any(|submission| submission.work.changes_readings());
        let known: Vec<_> = stepped
            .iter()
            .filter_map(|id| Some((*id, self.directory.by_id(*id)?.lineup().1)))
            .collect();
        let (hold, held) = self.store.hold(&known, with_readings).await?;
        if !held.changed.is_empty() {
            self.contention.meet();
            held.changed.into_iter().for_each(|stored| self.directory.renew(stored));
        }
        inbox.top_up(batch, |submission| match &submission.work {
            Work::Signals { signals, .. } => {
                signals.iter().all(|new| stepped.contains(&new.live.product.id))
            }
            _ => false,
        });
        if let Some(at) = held.readings {
            // The blocks of others are read beside the commits: here it counts which number is next.
            if self.readings.pass(at.block) {
                self.contention.meet();
            }
            if !self.readings.has_all_names(&at) {
                self.readings.read_names(&self.store).await?;
            }
        }
        Ok(hold)
    }

    fn tell(&self, draft: &Draft, batch: &[Submission], now: Timestamp) {
        let changes = &draft.changes;
        Tally::add(&self.tally.commits, 1);
        Tally::add(&self.tally.signals, changes.signals.len());
        Tally::add(&self.tally.decisions, changes.decisions.len());
        let readings = batch.iter().map(|submission| submission.work.readings()).sum();
        Tally::add(&self.tally.readings, readings);
        debug!(
            batch.size = batch.len(),
            signals = changes.signals.len(),
            at = now.as_micros(),
            "committed"
        );
        for decision in &changes.decisions {
            info!(
                release.id = %decision.release,
                action = decision.action.as_str(),
                rule = decision.rule.as_str(),
                actor = decision.actor.as_str(),
                "{}", decision.sentence
            );
        }
    }
}

/// Whether a batch need not lock, if nobody else steps the same: then its commit is optimistic.
///
/// Two servers that step several products, each in an order of its own, would wait for each other.
fn may_be_optimistic(batch: &[Submission], stepped: &BTreeSet<ProductId>) -> bool {
    let is_usual = |submission: &Submission| {
        matches!(submission.work, Work::Signals { .. } | Work::Readings { .. })
    };
    stepped.len() <= 1 && batch.iter().all(is_usual)
}

/// The products that a batch steps.
fn stepped(batch: &[Submission], directory: &Directory) -> BTreeSet<ProductId> {
    let mut products = BTreeSet::new();
    for submission in batch {
        match &submission.work {
            Work::Signals { signals, .. } => {
                products.extend(signals.iter().map(|new| new.live.product.id));
            }
            Work::Release { live, .. }
            | Work::Act { live, .. }
            | Work::Policy { live, .. }
            | Work::Unreported { live, .. } => {
                products.insert(live.product.id);
            }
            Work::Tick(lives) => products.extend(lives.iter().map(|live| live.product.id)),
            Work::Readings { .. } => {
                let judging = directory.judging_readings();
                products.extend(judging.iter().map(|live| live.product.id));
            }
            Work::Product { .. } | Work::DeclareType { .. } | Work::Fold(_) => {}
        }
    }
    products
}
