//! What became of a commit whose answer was lost with the connection.
//!
//! PostgreSQL knows by the number of the transaction. But it gives numbers again that it lost in a
//! crash, so that a transaction of somebody else may be asked for. What was committed is therefore
//! known by the mark as well that every commit of a server leaves behind: the number of the commit.

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Store, StoreError, backend};

/// How long is asked, and how often.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

impl Store {
    /// Whether a commit of this store, with this number, was committed; its connection is lost.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutcomeUnknown`] if it cannot be found out for 15 s.
    pub(super) async fn was_committed(
        &self,
        transaction: &str,
        number: u64,
    ) -> Result<bool, StoreError> {
        info!(transaction, "the connection was lost during a commit, asking what became of it");
        let end = Instant::now() + PATIENCE;
        loop {
            match self.ask_outcome(transaction, number).await {
                Ok(Some(was_committed)) => {
                    info!(transaction, was_committed, "what became of the commit is known");
                    return Ok(was_committed);
                }
                Ok(None) => {}
                Err(cause) if cause.is_unavailable() => {}
                Err(cause) => return Err(cause),
            }
            if Instant::now() >= end {
                warn!(transaction, "what became of a commit could not be found out");
                return Err(StoreError::OutcomeUnknown);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks once; nothing while the transaction goes on.
    async fn ask_outcome(
        &self,
        transaction: &str,
        number: u64,
    ) -> Result<Option<bool>, StoreError> {
        // A pool would wait for longer.
        self.knock().await?;
        let dialect = self.dialect();
        let status: Option<String> =
            match self.writer().query_one_raw(dialect.status_of(transaction)).await {
                Ok(Some(row)) => row.try_get("", "status")?,
                Ok(None) => None,
                // A number that it has not given yet, because it lost it.
                Err(error) if backend::is_in_the_future(&error) => return Ok(Some(false)),
                Err(error) => return Err(error.into()),
            };
        match status.as_deref() {
            Some("in progress") => Ok(None),
            Some("aborted") => Ok(Some(false)),
            // With a view of its own: what was in progress a moment ago is seen by none before.
            _ => {
                let mark = self.writer().query_one_raw(dialect.mark_of(self.name)).await?;
                let mark: Option<Vec<u8>> =
                    mark.map(|row| row.try_get("", "fingerprint")).transpose()?;
                Ok(Some(mark.is_some_and(|mark| mark == number.to_be_bytes())))
            }
        }
    }
}
