//! What time alone brings about: bands that begin, periods that end.
//!
//! The engine sleeps until the next moment at which some rollout changes, and submits a tick on the
//! same road as everything else: one writer, one order of events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use canary_core::product::ProductId;
use canary_core::release::ReleaseId;
use canary_core::rollout::Unreported;
use canary_core::time::Timestamp;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::ingest::{Ingest, Work};
use crate::live::{Directory, Live};
use crate::store::{Dialect, Store, StoreError};

/// Runs until it is aborted.
pub(crate) async fn run(
    directory: Arc<Directory>,
    ingest: Ingest,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
) {
    loop {
        catch_up(&directory, &ingest, &*clock).await;
        match next_change(&directory, clock.now()) {
            None => changed.notified().await,
            Some(moment) => tokio::select! {
                () = changed.notified() => {}
                () = clock.sleep_until(moment) => {}
            },
        }
    }
}

/// Does everything that is due.
pub(crate) async fn catch_up(directory: &Directory, ingest: &Ingest, clock: &dyn Clock) {
    let now = clock.now();
    let due: Vec<Arc<Live>> =
        directory.all().into_iter().filter(|live| is_due(live, now)).collect();
    if due.is_empty() {
        return;
    }
    if let Err(cause) = ingest.submit(Work::Tick(due), None).await {
        warn!(%cause, "what time brought about could not be stored, trying again in a second");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Whether a tick would change the lineup.
fn is_due(live: &Live, now: Timestamp) -> bool {
    let (lineup, _) = live.lineup();
    let mut ticked = canary_core::lineup::Lineup::clone(&lineup);
    if ticked.open().is_none() {
        return false;
    }
    ticked.tick(now, &mut canary_core::lineup::Effects::default());
    ticked != *lineup
}

/// How often is looked which answers were not reported in time.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Counts the answers of this server that were not reported in time, until it is aborted.
pub(crate) async fn count_unreported(
    directory: Arc<Directory>,
    store: Arc<Store>,
    ingest: Ingest,
    clock: Arc<dyn Clock>,
) {
    let mut elsewhere = Elsewhere { store, seen: HashMap::new() };
    loop {
        let now = clock.now();
        for live in directory.all() {
            if let Err(cause) = elsewhere.look(&live).await {
                info!(%cause, "what was reported to other servers could not be read, trying later");
                continue;
            }
            let overdue = live.take_overdue(now);
            if overdue == Unreported::default() {
                continue;
            }
            let work = Work::Unreported { live: live.clone(), overdue };
            if let Err(cause) = ingest.submit(work, None).await {
                warn!(%cause, "answers without a report could not be stored, trying again later");
                live.put_back(overdue);
            }
        }
        clock.sleep_until(now.after(LOOK_EVERY)).await;
    }
}

/// What was reported to other servers: whoever is awaited here may report there.
struct Elsewhere {
    store: Arc<Store>,
    /// Up to which number the signals of a product were looked at, with its canary then.
    seen: HashMap<ProductId, (ReleaseId, i64)>,
}

impl Elsewhere {
    /// Takes note of those who are awaited by name and have reported since.
    async fn look(&mut self, live: &Live) -> Result<(), StoreError> {
        if self.store.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let product = live.product.id;
        let Some((oldest, releases)) = live.oldest_awaited() else {
            self.seen.remove(&product);
            return Ok(());
        };
        let [canary, _] = releases;
        // The signals of a product are numbered in the order of their commits: none comes late.
        let mut after = match self.seen.get(&product) {
            Some((of, seen)) if *of == canary => *seen,
            _ => self.store.last_before(oldest).await?,
        };
        loop {
            let runs = self.store.runs(releases, after).await?;
            let Some(last) = runs.last() else { break };
            after = last.number;
            runs.iter().for_each(|run| live.heard_from(run.instance.key(), run.received_at));
        }
        self.seen.insert(product, (canary, after));
        Ok(())
    }
}

/// The next moment at which some rollout changes.
fn next_change(directory: &Directory, now: Timestamp) -> Option<Timestamp> {
    directory.all().iter().filter_map(|live| live.lineup().0.next_change_at(now)).min()
}
