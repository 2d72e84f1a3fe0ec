//! The lead: what one server alone does for all, band changes, ends of periods and folding.
//!
//! On SQLite there is one server, which does it. On PostgreSQL it is the one that holds a lock; when
//! it ends, or loses its connection, another takes the lead within a second or two.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::store::{Dialect, Store};

/// How often a server that does not lead tries to.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Does work while this server leads, for ever; it is dropped half-way when the lead is lost.
pub(crate) async fn run<Work: Future<Output = ()>>(store: Arc<Store>, work: impl Fn() -> Work) {
    if store.dialect() == Dialect::Sqlite {
        work().await;
        return;
    }
    let mut is_told = false;
    loop {
        match store.try_to_lead().await {
            Ok(Some(mut lead)) => {
                is_told = false;
                info!("this server leads: it changes bands, ends periods and folds readings");
                tokio::select! {
                    () = work() => return,
                    () = lead.last() => warn!("the lead was lost with its connection"),
                }
            }
            Ok(None) => {
                is_told = false;
                tokio::time::sleep(TRY_EVERY).await;
            }
            Err(cause) => {
                if !std::mem::replace(&mut is_told, true) {
                    warn!(%cause, "the lead cannot be asked for, trying again every second");
                }
                tokio::time::sleep(TRY_EVERY).await;
            }
        }
    }
}
