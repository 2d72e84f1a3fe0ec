//! Whether the database can be reached.

use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr};

use super::backend::{self, Dialect};
use super::{Store, StoreError};

/// How soon a database answers that is well.
const SOON: Duration = Duration::from_secs(1);

impl Store {
    /// Whether the database answers, and soon.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(self.readers().ping().await?);
        }
        match tokio::time::timeout(SOON, self.readers().ping()).await {
            Ok(Ok(())) => Ok(()),
            // It may be that all readers are at work.
            _ => tokio::time::timeout(SOON, self.knock())
                .await
                .unwrap_or_else(|_| Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into())),
        }
    }

    /// Whether the database lets us in: asked once, with a connection of its own; a file does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it does not now, and may later.
    pub(crate) async fn knock(&self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => backend::knock(self.place()).await,
        }
    }
}
