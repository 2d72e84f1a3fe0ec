//! What time alone brings about: bands that begin, periods that end.
//!
//! The engine sleeps until the next moment at which some rollout changes, and submits a tick on the
//! same road as everything else: one writer, one order of events.

use std::sync::Arc;
use std::time::Duration;

use canary_core::rollout::Unreported;
use canary_core::time::Timestamp;
use tokio::sync::Notify;
use tracing::warn;

use crate::clock::Clock;
use crate::ingest::{Ingest, Work};
use crate::live::{Directory, Live};

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
    ingest: Ingest,
    clock: Arc<dyn Clock>,
) {
    loop {
        let now = clock.now();
        for live in directory.all() {
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

/// The next moment at which some rollout changes.
fn next_change(directory: &Directory, now: Timestamp) -> Option<Timestamp> {
    directory.all().iter().filter_map(|live| live.lineup().0.next_change_at(now)).min()
}
