//! Readings: taken in by the block, folded by the hour, summed up in milliseconds.
//!
//! | module | what it does |
//! | --- | --- |
//! | `point` | a reading as one number: series, second, value |
//! | `series` | which number a device, type and version have |
//! | `device` | the series of each device by its name |
//! | `intake` | from what a caller gave to points |
//! | `arrival` | equal readings without a time that come in one second |
//! | `block` | what one commit took in, packed |
//! | `chunk` | one series and hour, packed, with its summary in front |
//! | `unfolded` | the blocks that wait, in memory |
//! | `fold` | from blocks to chunks and roll-ups, beside everything else |
//! | `ask` | statistics and lists of a device, and summaries of all |
//!
//! A chunk is a set, and so is what the blocks hold together: a reader that takes the blocks first
//! and the chunks afterwards, and unites both, is exact at every moment of a fold, without a lock.

mod arrival;
mod ask;
mod block;
mod bytes;
mod chunk;
mod device;
mod fold;
mod intake;
mod point;
mod series;
#[cfg(test)]
mod tests;
mod unfolded;

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use canary_core::reading::ReadingType;
use canary_core::time::Timestamp;
use sea_orm::ConnectionTrait;
use tokio::sync::Notify;

use self::arrival::Arrivals;
pub(crate) use self::ask::{Cursor, Listed, Span, Summed};
pub(crate) use self::block::{Block, pack};
pub(crate) use self::chunk::Chunk;
pub(crate) use self::fold::{Folder, Step};
pub(crate) use self::intake::{Given, Intake, Refusal};
pub(crate) use self::point::{Point, SeriesId};
pub(crate) use self::series::{Names, Resolved, SeriesRow, TypeId, is_provisional};
pub(crate) use self::unfolded::Unfolded;
use crate::store::{ReadingsAt, Store, StoreError};

/// Blocks after which the one who folds looks what there is to do.
const LOOK_EVERY: i64 = 32;

/// How far folding is.
///
/// Of the blocks up to `last_block`, the readings before (`series`, `second`) are in chunks and
/// roll-ups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Grows with every step, so that two processes never fold the same.
    pub(crate) revision: i64,
    pub(crate) last_block: i64,
    pub(crate) series: u32,
    pub(crate) second: u32,
    /// The first hour that has all its readings; of those before only summaries are kept.
    pub(crate) thinned_hour: u32,
}

impl Fold {
    /// The first point of its blocks that is not folded yet.
    pub(crate) const fn next(&self) -> Point {
        Point::new(self.series, self.second, 0)
    }
}

/// The summary of all devices by type, version and hour, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollup {
    pub(crate) kind: TypeId,
    /// Empty for readings without one.
    pub(crate) version: Arc<str>,
    pub(crate) hour: u32,
    pub(crate) summary: Vec<u8>,
}

/// What one commit did to readings.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) types: Vec<(TypeId, ReadingType)>,
    pub(crate) series: Vec<SeriesRow>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) step: Option<Arc<Step>>,
}

/// What is known of readings without asking the database.
pub(crate) struct Readings {
    names: RwLock<Names>,
    pub(crate) unfolded: Unfolded,
    fold: Mutex<Fold>,
    next_block: AtomicI64,
    known_to: AtomicI64,
    /// For how many seconds readings are kept; their summaries stay.
    retention_s: Option<u32>,
    arrivals: Mutex<Arrivals>,
    changing: tokio::sync::Mutex<()>,
    /// Told now and then when there is more to fold.
    pub(crate) more: Notify,
}

impl Readings {
    /// Reads what is stored.
    pub(crate) async fn load(
        store: &Store,
        retention_s: Option<u32>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let readings = Self {
            names: RwLock::default(),
            unfolded: Unfolded::default(),
            fold: Mutex::default(),
            next_block: AtomicI64::new(1),
            known_to: AtomicI64::new(0),
            retention_s,
            arrivals: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            more: Notify::new(),
        };
        readings.catch_up(store, now).await?;
        Ok(readings)
    }

    /// Held from a commit until it is shown, and while it is read what is stored: between the two,
    /// memory and database differ.
    pub(crate) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Reads what another process has stored meanwhile.
    pub(crate) async fn catch_up(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        // What takes long is read before anybody has to wait: a block never changes.
        let stored = Store::reading_block_ids(store.reading()).await?;
        let missing = self.unfolded.missing(&stored);
        let mut blocks = Store::reading_blocks(store.reading(), &missing, now).await?;
        let _changing = self.changing().await;
        // What is read must be of one moment: while another process folds, a block is either there
        // or in its chunks.
        let view = store.view().await?;
        self.take_names(&view).await?;
        let fold = Store::fold(&view).await?;
        let stored = Store::reading_block_ids(&view).await?;
        let read: HashSet<i64> = blocks.iter().map(|block| block.id).collect();
        let mut missing = self.unfolded.missing(&stored);
        blocks.retain(|block| missing.binary_search(&block.id).is_ok());
        missing.retain(|id| !read.contains(id));
        blocks.extend(Store::reading_blocks(&view, &missing, now).await?);
        self.set_fold(fold);
        self.unfolded.keep(&stored.iter().copied().collect());
        blocks.into_iter().for_each(|block| self.show_block(block));
        let last_block = stored.last().copied().unwrap_or_default().max(fold.last_block);
        self.pass(last_block);
        self.known_to.fetch_max(last_block, Ordering::Relaxed);
        Ok(view.rollback().await?)
    }

    /// Reads the types and the series that another process has stored meanwhile.
    pub(crate) async fn read_names(&self, store: &Store) -> Result<(), StoreError> {
        // An older view of them must not be taken after a newer one.
        let _changing = self.changing().await;
        self.take_names(store.reading()).await
    }

    async fn take_names(&self, connection: &impl ConnectionTrait) -> Result<(), StoreError> {
        let types = Store::reading_types(connection).await?;
        self.change_names(|names| {
            types.into_iter().for_each(|(id, kind)| names.declare(id, kind));
        });
        loop {
            let from = self.names().stored();
            let page = Store::reading_series(connection, from).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.change_names(|names| page.into_iter().for_each(|row| names.store(row)));
        }
    }

    /// Whether there are no other names than these, among all servers together.
    pub(crate) fn has_all_names(&self, at: &ReadingsAt) -> bool {
        let names = self.names();
        i64::from(names.stored()) == at.series && i64::from(names.next_type()) == at.next_type
    }

    /// Takes note that blocks up to this one have been stored; whether some were not known.
    pub(crate) fn pass(&self, last_block: i64) -> bool {
        self.next_block.fetch_max(last_block + 1, Ordering::Relaxed) <= last_block
    }

    /// The number up to which every block is, or was, here: above it some of another process may
    /// still be missing.
    pub(crate) fn known_to(&self) -> i64 {
        self.known_to.load(Ordering::Relaxed)
    }

    /// Every name with its number.
    pub(crate) fn names(&self) -> RwLockReadGuard<'_, Names> {
        // No change panics half-way; a name that was added stays right.
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_names<T>(&self, change: impl FnOnce(&mut Names) -> T) -> T {
        change(&mut self.names.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// How far folding is.
    pub(crate) fn fold(&self) -> Fold {
        *self.fold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_fold(&self, fold: Fold) {
        *self.fold.lock().unwrap_or_else(PoisonError::into_inner) = fold;
    }

    /// The number of the next block; only the writer asks.
    pub(crate) fn next_block(&self) -> i64 {
        self.next_block.load(Ordering::Relaxed)
    }

    fn show_block(&self, block: Block) {
        self.next_block.fetch_max(block.id + 1, Ordering::Relaxed);
        self.unfolded.push(block);
    }

    /// The oldest second whose readings are kept.
    pub(crate) fn oldest(&self, now_s: u32) -> u32 {
        self.retention_s.map_or(0, |retention| now_s.saturating_sub(retention))
    }

    /// Shows what was committed.
    pub(crate) fn publish(&self, news: News) {
        let News { types, series, blocks, step } = news;
        if !types.is_empty() || !series.is_empty() {
            self.change_names(|names| {
                types.into_iter().for_each(|(id, kind)| names.declare(id, kind));
                series.into_iter().for_each(|row| names.store(row));
            });
        }
        for block in blocks {
            // What is to be folded does not change with one block.
            if block.id % LOOK_EVERY == 0 {
                self.more.notify_one();
            }
            let id = block.id;
            self.show_block(block);
            // With one between that is not here yet, it stays so until that is read.
            let _ =
                self.known_to.compare_exchange(id - 1, id, Ordering::Relaxed, Ordering::Relaxed);
        }
        if let Some(step) = step {
            self.unfolded.forget(&step.gone.iter().copied().collect());
            self.set_fold(Fold { revision: step.from.revision + 1, ..step.to });
        }
    }
}
