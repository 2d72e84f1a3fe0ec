//! One round of folding: its blocks, how far it is, and the steps that it commits.
//!
//! Steps are committed one after another, in the order of their readings: what one step tells of how
//! far the round is holds only if all before it are durable. The next may be made meanwhile.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::super::block::{Block, pack};
use super::super::chunk::Chunk;
use super::super::point::{HOUR, Point};
use super::super::{Fold, Rollup};
use super::part::gather;
use super::{FoldError, Merged, Step};
use crate::buffers::Buffer;
use crate::ingest::{Ingest, Receipt, Work};

/// One round: all blocks up to one of them.
pub(super) struct Round {
    pub(super) blocks: Arc<Vec<Arc<Block>>>,
    /// Where the round is, with what is on its way.
    pub(super) fold: Fold,
    committing: Option<JoinHandle<Result<(), FoldError>>>,
}

impl Round {
    /// Begins a round, or goes on with it if it is the one that `fold` is in the middle of.
    pub(super) fn begin(fold: Fold, blocks: Vec<Arc<Block>>, last_block: i64) -> Self {
        let is_resumed = fold.last_block == last_block;
        let (series, second) = if is_resumed { (fold.series, fold.second) } else { (0, 0) };
        let fold = Fold { last_block, series, second, ..fold };
        Self { blocks: Arc::new(blocks), fold, committing: None }
    }

    /// The readings of its blocks between two cuts, sorted, each once.
    pub(super) async fn gather(
        &self,
        from: Point,
        until: Point,
        expected: usize,
    ) -> Result<Buffer<Point>, FoldError> {
        let blocks = self.blocks.clone();
        let points = tokio::task::spawn_blocking(move || gather(&blocks, from, until, expected));
        Ok(points.await??)
    }

    /// Waits for the step that is on its way.
    pub(super) async fn wait(&mut self) -> Result<(), FoldError> {
        match self.committing.take() {
            Some(before) => before.await?,
            None => Ok(()),
        }
    }

    /// Sends a step on its way, after the one before; `next` is the first point after it.
    pub(super) async fn commit(
        &mut self,
        ingest: &Ingest,
        next: Point,
        chunks: Vec<(i64, Chunk)>,
        rollups: Vec<Rollup>,
        late: Vec<Point>,
    ) -> Result<(), FoldError> {
        self.wait().await?;
        let from = self.fold;
        let is_over = next == Point::LAST;
        let next = if is_over { Point::FIRST } else { next };
        let to = Fold { series: next.series(), second: next.hour() * HOUR, ..from };
        let gone =
            if is_over { self.blocks.iter().map(|block| block.id).collect() } else { vec![] };
        let merged = (!late.is_empty())
            .then(|| Merged { readings: late.len() as u32, bytes: pack(&late, true) });
        let step = Step { from, to, chunks, rollups, gone, merged };
        self.fold = Fold { revision: from.revision + 1, ..to };
        let ingest = ingest.clone();
        self.committing = Some(tokio::spawn(async move { commit(&ingest, step).await }));
        Ok(())
    }
}

/// Sends a step on its way and waits until it is durable.
pub(super) async fn commit(ingest: &Ingest, step: Step) -> Result<(), FoldError> {
    match ingest.submit(Work::Fold(Arc::new(step)), None).await? {
        Receipt::Folded => Ok(()),
        _ => Err(FoldError::Damaged),
    }
}
