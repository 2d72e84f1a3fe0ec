//! What waits for a commit, in the order in which it came.

use tokio::sync::mpsc;

use super::Submission;

/// Units at which a batch is closed; one work more may come on top.
const MOST_UNITS: usize = 20_000;

/// After how many turns of the others without anything new a batch is closed.
const IDLE_TURNS: u32 = 16;

/// The end of the queue where batches are taken out.
pub(super) struct Inbox {
    queue: mpsc::UnboundedReceiver<Submission>,
    /// Taken out, and left for the next batch.
    left: Option<Submission>,
}

impl Inbox {
    pub(super) const fn of(queue: mpsc::UnboundedReceiver<Submission>) -> Self {
        Self { queue, left: None }
    }

    /// Takes what waits, and what comes while handlers have something to do; nothing when every
    /// entrance is gone and the queue is empty.
    ///
    /// A commit costs the same for one signal as for sixty, so it pays to let those finish that are
    /// about to submit. Nobody is kept waiting for a clock: as soon as a turn of the others brings
    /// nothing, the batch is closed.
    pub(super) async fn fill(&mut self) -> Option<Vec<Submission>> {
        let first = match self.left.take() {
            Some(left) => left,
            None => self.queue.recv().await?,
        };
        let mut units = first.work.units();
        let mut batch = vec![first];
        let mut idle_turns = 0;
        while idle_turns < IDLE_TURNS && units < MOST_UNITS {
            let before = batch.len();
            while units < MOST_UNITS {
                let Ok(next) = self.queue.try_recv() else { break };
                units += next.work.units();
                batch.push(next);
            }
            idle_turns = if batch.len() > before { 0 } else { idle_turns + 1 };
            tokio::task::yield_now().await;
        }
        Some(batch)
    }

    /// Takes what waits as well, up to the first that does not fit.
    pub(super) fn top_up(
        &mut self,
        batch: &mut Vec<Submission>,
        fits: impl Fn(&Submission) -> bool,
    ) {
        let mut units: usize = batch.iter().map(|submission| submission.work.units()).sum();
        while units < MOST_UNITS && self.left.is_none() {
            let Ok(next) = self.queue.try_recv() else { return };
            if !fits(&next) {
                self.left = Some(next);
                return;
            }
            units += next.work.units();
            batch.push(next);
        }
    }
}
