//! Patience with a database that is away: it may be starting again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::store::{Store, StoreError};

/// How long a database may be away before those who wait for a commit are sent away.
const LONGEST: Duration = Duration::from_secs(15);

/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Since when the database is away, if it is.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<Option<Instant>>);

impl Patience {
    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is worth while to try: not while it is away for too long already.
    pub(super) async fn has_hope(&self, store: &Store) -> Result<(), StoreError> {
        let since = *self.since();
        if since.is_some_and(|since| since.elapsed() >= LONGEST) {
            store.knock().await
        } else {
            Ok(())
        }
    }

    /// Waits until the database lets us in; whether it did before it was away for too long.
    pub(super) async fn wait(&self, store: &Store, cause: &StoreError) -> bool {
        let now = Instant::now();
        let since = *self.since().get_or_insert_with(|| {
            warn!(%cause, "the database is away, a commit waits for it");
            now
        });
        while since.elapsed() < LONGEST {
            tokio::time::sleep(PAUSE).await;
            let knocked = store.knock().await;
            // What is wrong with a door that opened, or never will, is told by the commit.
            if !matches!(knocked, Err(StoreError::Unavailable(_))) {
                return true;
            }
        }
        false
    }

    /// Takes note that it was away for as long as anybody waits.
    pub(super) fn lose(&self) {
        let now = Instant::now();
        self.since().get_or_insert_with(|| now.checked_sub(LONGEST).unwrap_or(now));
    }

    /// Takes note that it answered.
    pub(super) fn end(&self) {
        if let Some(since) = self.since().take() {
            let away_ms = since.elapsed().as_millis();
            info!(away_ms, "the database answers again");
        }
    }
}
