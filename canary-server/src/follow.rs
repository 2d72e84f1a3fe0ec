//! Following: what other servers on the same PostgreSQL commit is shown here as well.
//!
//! They tell each other after each commit; a look every second finds what was not heard.

use std::sync::Arc;
use std::time::Duration;

use canary_core::product::ProductId;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::live::Directory;
use crate::readings::Readings;
use crate::store::{Heard, Listener, Store, StoreError};

/// How often to look for what was not heard.
const LOOK: Duration = Duration::from_secs(1);

/// How long after a look at the database the next one is, at least: others may commit a thousand
/// times a second, and what they tell meanwhile is looked up at once.
const PAUSE: Duration = Duration::from_millis(20);

/// One who follows.
pub(crate) struct Follower {
    pub(crate) store: Arc<Store>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) readings: Arc<Readings>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Told when something was shown.
    pub(crate) changed: Arc<Notify>,
    /// Whether this server writes nothing.
    pub(crate) only_shows: bool,
}

impl Follower {
    /// Follows for ever; ends at once where nobody else writes: on SQLite, unless this server only
    /// shows what another process does.
    pub(crate) async fn run(self) {
        loop {
            match self.store.listen().await {
                Ok(None) if self.only_shows => self.look_again_and_again().await,
                Ok(None) => return,
                Ok(Some(listener)) => self.follow(listener).await,
                Err(cause) => {
                    warn!(%cause, "other servers cannot be heard, trying again in a second");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    /// Where nobody tells what has changed.
    async fn look_again_and_again(&self) {
        loop {
            if let Err(cause) = self.show(&Heard::Missed).await {
                info!(%cause, "what another process has changed could not be read");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Follows until the connection is lost.
    async fn follow(&self, mut listener: Listener) {
        let mut heard = Heard::Missed;
        loop {
            if let Err(cause) = self.show(&heard).await {
                info!(%cause, "what other servers have changed could not be read");
            }
            tokio::time::sleep(PAUSE).await;
            heard = match hear_all(&mut listener).await {
                Ok(heard) => heard,
                Err(cause) => {
                    warn!(%cause, "the connection to other servers was lost");
                    return;
                }
            };
        }
    }

    async fn show(&self, heard: &Heard) -> Result<(), StoreError> {
        let (products, readings) = match heard {
            Heard::Missed => (self.changed_products().await?, true),
            Heard::News(news) => match &news.products {
                Some(products) => (products.clone(), news.readings),
                None => (self.changed_products().await?, news.readings),
            },
        };
        if !products.is_empty() {
            let stored = self.store.load_products(&products).await?;
            stored.into_iter().for_each(|stored| self.directory.renew(stored));
            self.changed.notify_one();
        }
        if readings {
            self.readings.catch_up(&self.store, self.clock.now()).await?;
        }
        Ok(())
    }

    /// The products that are not as they are shown here.
    async fn changed_products(&self) -> Result<Vec<ProductId>, StoreError> {
        Ok(self.directory.not_at(self.store.revisions().await?))
    }
}

/// Waits for news, for as long as nobody looked; with all that was told meanwhile.
async fn hear_all(listener: &mut Listener) -> Result<Heard, StoreError> {
    let Ok(heard) = tokio::time::timeout(LOOK, listener.hear()).await else {
        return Ok(Heard::Missed);
    };
    let mut heard = heard?;
    while let Ok(more) = tokio::time::timeout(Duration::ZERO, listener.hear()).await {
        heard = heard.and(more?);
    }
    Ok(heard)
}
