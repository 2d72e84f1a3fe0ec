//! The blocks that were not folded yet, in memory as on disk.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use super::block::Block;

/// How much waits to be folded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) blocks: u64,
    pub(crate) readings: u64,
    pub(crate) bytes: u64,
}

#[derive(Default)]
struct List {
    blocks: VecDeque<Arc<Block>>,
    backlog: Backlog,
}

/// Blocks, oldest first.
#[derive(Default)]
pub(crate) struct Unfolded(RwLock<List>);

impl Unfolded {
    /// Lets go of blocks that are no longer stored.
    pub(crate) fn forget(&self, gone: &HashSet<i64>) {
        if !gone.is_empty() {
            self.retain(|id| !gone.contains(&id));
        }
    }

    /// Lets go of all blocks but those that are still stored.
    pub(crate) fn keep(&self, stored: &HashSet<i64>) {
        self.retain(|id| stored.contains(&id));
    }

    fn retain(&self, is_kept: impl Fn(i64) -> bool) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = list.blocks.len();
        list.blocks.retain(|block| is_kept(block.id));
        if list.blocks.len() == before {
            return;
        }
        let sum = |of: fn(&Block) -> u64| list.blocks.iter().map(|block| of(block)).sum();
        list.backlog = Backlog {
            blocks: list.blocks.len() as u64,
            readings: sum(|block| u64::from(block.readings)),
            bytes: sum(|block| block.size() as u64),
        };
    }

    /// Shows one more block that was committed; that of another process may be behind the last.
    pub(crate) fn push(&self, block: Block) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let place = list.blocks.partition_point(|before| before.id < block.id);
        list.backlog.blocks += 1;
        list.backlog.readings += u64::from(block.readings);
        list.backlog.bytes += block.size() as u64;
        list.blocks.insert(place, Arc::new(block));
    }

    /// Those of these numbers, in order, of which there is no block.
    pub(crate) fn missing(&self, ids: &[i64]) -> Vec<i64> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_here = |id: &i64| list.blocks.binary_search_by_key(id, |block| block.id).is_ok();
        ids.iter().copied().filter(|id| !is_here(id)).collect()
    }

    /// The blocks that may have readings from `start` to `end`, both included.
    pub(crate) fn between(&self, start: u32, end: u32) -> Vec<Arc<Block>> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let overlaps =
            |block: &&Arc<Block>| block.first_second <= end && start <= block.last_second;
        list.blocks.iter().filter(overlaps).cloned().collect()
    }

    /// Looks at the blocks where they are.
    pub(crate) fn look<T>(&self, look: impl FnOnce(Blocks<'_>) -> T) -> T {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        look(Blocks(list.blocks.iter()))
    }

    /// All blocks.
    pub(crate) fn all(&self) -> Vec<Arc<Block>> {
        self.between(0, u32::MAX)
    }

    /// How much there is.
    pub(crate) fn backlog(&self) -> Backlog {
        self.0.read().unwrap_or_else(PoisonError::into_inner).backlog
    }
}

/// The blocks, in the order of their numbers.
#[derive(Clone)]
pub(crate) struct Blocks<'a>(std::collections::vec_deque::Iter<'a, Arc<Block>>);

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a Block;

    fn next(&mut self) -> Option<&'a Block> {
        self.0.next().map(AsRef::as_ref)
    }
}
