//! Whether other servers step the same products.

use std::sync::atomic::{AtomicU32, Ordering};

/// For how many commits after another server was met it is expected again.
const COMMITS: u32 = 256;

/// Whether another server is expected to step what this one steps, on the same PostgreSQL.
///
/// A lock costs visits to the database, and is of use only where others are; without one, the commit
/// of the slower of two fails, and costs another one.
#[derive(Debug, Default)]
pub(super) struct Contention(AtomicU32);

impl Contention {
    /// Whether another one is expected, in the next commit.
    pub(super) fn is_expected(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Takes note of another one.
    pub(super) fn meet(&self) {
        self.0.store(COMMITS, Ordering::Relaxed);
    }
}
