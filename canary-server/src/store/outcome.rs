//! What became of a commit whose answer was lost with the connection.
//!
//! PostgreSQL may not even have begun with it: it may still be on its way, or be made in a moment.
//! So it is not enough to look whether it was made; if it was not, it is kept out for good. What it
//! would have written may then be written by another commit.

use std::time::Duration;

use canary_core::time::Timestamp;
use sea_orm::ConnectionTrait as _;
use tokio::time::Instant;
use tracing::{info, warn};

use super::backend::Mark;
use super::{Store, StoreError};

/// How long is asked, and how often.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

impl Store {
    /// Whether a commit of this store, which left this mark, was made; its connection is lost. If
    /// it was not, it never will be.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutcomeUnknown`] if it cannot be found out for 15 s.
    pub(super) async fn was_committed(
        &self,
        mark: Mark,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        info!("the connection was lost during a commit, asking what became of it");
        let end = Instant::now() + PATIENCE;
        loop {
            // It waits for a commit that still goes on.
            match tokio::time::timeout_at(end, self.ask_outcome(mark, now)).await {
                Ok(Ok(was_committed)) => {
                    info!(was_committed, "what became of the commit is known");
                    return Ok(was_committed);
                }
                Ok(Err(StoreError::Unavailable(_) | StoreError::TooSlow(_))) | Err(_) => {}
                Ok(Err(cause)) => return Err(cause),
            }
            if Instant::now() >= end {
                warn!("what became of a commit could not be found out");
                return Err(StoreError::OutcomeUnknown);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks once.
    async fn ask_outcome(&self, mark: Mark, now: Timestamp) -> Result<bool, StoreError> {
        // A pool would wait for longer.
        self.knock().await?;
        let statement = self.dialect().fence(mark, self.next_mark().number, now);
        let row = self.writer().query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StoreError::Fault("the mark of a commit is missing".into()))?;
        let found: Vec<u8> = row.try_get("", "fingerprint")?;
        Ok(found == mark.number.to_be_bytes())
    }
}
