//! From blocks to chunks and roll-ups, beside everything else.
//!
//! A round folds all blocks up to one of them, part by part in the order of series and time.
//! Each part is one step on the road of all changes: chunks, roll-ups and how far the round is, in
//! one transaction. A round that was interrupted goes on where it was; nothing is counted twice.
//! While one part is committed the next is computed; taking in never waits for more than a commit.
//!
//! A late reading rewrites the chunk of its hour, a few thousand bytes for one. So late readings are
//! put off, into a block of their own, until there are many or they have waited for hours.

mod part;
mod plan;
mod round;
mod thin;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use canary_core::stats::Summary;
use tracing::{debug, error, info};

use self::part::{Additions, Facts, Folded, fold, gather, groups};
pub(super) use self::part::{chunk_id, cuts, new_points, series_and_hour};
pub(super) use self::plan::Job;
use self::plan::plan;
use self::round::{Round, commit};
use super::block::{Block, pack};
use super::bytes::Damaged;
use super::chunk::Chunk;
use super::point::{HOUR, Point, SeriesId};
use super::{Fold, Readings, Rollup, TypeId};
use crate::buffers::Buffer;
use crate::clock::Clock;
use crate::ingest::{Ingest, IngestError};
use crate::store::{Store, StoreError};

/// Readings of a step, about.
const PART: usize = 240_000;

/// Chunks that a part looks up at most: each may have ten thousand bytes and more.
const MOST_STORED: usize = 1_000;

/// Late readings of one chunk that are worth rewriting it for.
const FEW: usize = 64;

/// Roll-ups that are kept in memory between parts.
const MOST_ROLLUPS: usize = 4_096;

/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How often to look when nothing happens.
const LOOK: Duration = Duration::from_secs(10);

/// One step of folding, as it is committed.
#[derive(Default)]
pub(crate) struct Step {
    /// Where folding was; if it is elsewhere by now, the step is refused.
    pub(crate) from: Fold,
    pub(crate) to: Fold,
    pub(crate) chunks: Vec<(i64, Chunk)>,
    pub(crate) rollups: Vec<Rollup>,
    /// Blocks that are no longer needed.
    pub(crate) gone: Vec<i64>,
    /// A new block for readings of blocks that are gone, or of which the round has passed.
    pub(crate) merged: Option<Merged>,
}

/// A block made of others: of small ones, or of late readings.
pub(crate) struct Merged {
    pub(crate) readings: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Why a job was not finished; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error("stored readings are damaged")]
    Damaged,
    #[error("a part ended with a fault of the program: {0}")]
    Fault(#[from] tokio::task::JoinError),
}

impl From<Damaged> for FoldError {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// What one step takes from the readings of a round.
struct Part {
    /// How many of them.
    taken: usize,
    folded: Folded,
    /// Those that are put off.
    late: Vec<Point>,
}

/// Whether a series has chunks, as far as is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastHour {
    Unknown,
    None,
    At(u32),
}

/// The one who folds.
pub(crate) struct Folder {
    readings: Arc<Readings>,
    store: Arc<Store>,
    ingest: Ingest,
    clock: Arc<dyn Clock>,
    /// By series: an hour behind the last one has no chunk that would have to be read.
    last_hours: Vec<LastHour>,
    rollups: HashMap<(TypeId, Arc<str>, u32), Summary>,
    /// Readings of a step, about: what is sorted at once, and written by one commit.
    pub(super) part: usize,
}

impl Folder {
    pub(crate) fn new(
        readings: Arc<Readings>,
        store: Arc<Store>,
        ingest: Ingest,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (last_hours, rollups) = (Vec::new(), HashMap::new());
        Self { readings, store, ingest, clock, last_hours, rollups, part: PART }
    }

    /// Folds whatever waits, for ever.
    pub(crate) async fn run(mut self) {
        loop {
            let now = self.clock.now();
            match self.job() {
                None => {
                    let wait = self.clock.sleep_until(now.after(LOOK));
                    tokio::select! {
                        () = self.readings.more.notified() => {}
                        () = wait => {}
                    }
                }
                Some(job) => {
                    if let Err(error) = self.do_job(&job).await {
                        self.forget();
                        match error {
                            FoldError::Ingest(IngestError::Stopping { .. }) => return,
                            FoldError::Ingest(IngestError::FoldedElsewhere) => {
                                debug!("another process folds as well");
                            }
                            error => error!(%error, "folding failed, it will be tried again"),
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    /// Forgets what was known of the database: after a failure it may no longer be so.
    pub(super) fn forget(&mut self) {
        self.last_hours.clear();
        self.rollups.clear();
    }

    pub(super) fn job(&self) -> Option<Job> {
        let fold = self.readings.fold();
        let now = self.clock.now();
        let kept_hour = self.readings.oldest(now.as_seconds()) / HOUR;
        // A round passes over a block that it does not know, so it ends before the first such one.
        let known_to = self.readings.known_to();
        self.readings.unfolded.look(|blocks| {
            plan(blocks.take_while(|block| block.id <= known_to), &fold, kept_hour, now)
        })
    }

    pub(super) async fn do_job(&mut self, job: &Job) -> Result<(), FoldError> {
        let blocks = self.readings.unfolded.all();
        match job {
            Job::Fold { last_block, with_late } => {
                let blocks: Vec<Arc<Block>> =
                    blocks.into_iter().filter(|block| block.id <= *last_block).collect();
                self.fold_blocks(blocks, *last_block, *with_late).await
            }
            Job::Thin { before_hour } => self.thin(*before_hour).await,
            Job::Merge { blocks: ids } => {
                let is_meant = |block: &Arc<Block>| ids.contains(&block.id);
                self.merge(blocks.into_iter().filter(is_meant).collect()).await
            }
        }
    }

    /// Makes one block of several.
    async fn merge(&self, blocks: Vec<Arc<Block>>) -> Result<(), FoldError> {
        let gone = blocks.iter().map(|block| block.id).collect();
        let merged = tokio::task::spawn_blocking(move || {
            let expected = blocks.iter().map(|block| block.readings as usize).sum();
            let points = gather(&blocks, Point::FIRST, Point::LAST, expected)?;
            Ok::<_, Damaged>(Merged { readings: points.len() as u32, bytes: pack(&points, false) })
        });
        let merged = Some(merged.await??);
        let from = self.readings.fold();
        commit(&self.ingest, Step { from, to: from, gone, merged, ..Step::default() }).await
    }

    /// Folds blocks, from where the last round was interrupted if it was.
    async fn fold_blocks(
        &mut self,
        blocks: Vec<Arc<Block>>,
        last_block: i64,
        with_late: bool,
    ) -> Result<(), FoldError> {
        let started = self.clock.now();
        let readings: u64 = blocks.iter().map(|block| u64::from(block.readings)).sum();
        let mut round = Round::begin(self.readings.fold(), blocks, last_block);
        for ends in cuts(&round.blocks, round.fold.next(), self.part).windows(2) {
            let points = round.gather(ends[0], ends[1], self.part).await?;
            let mut rest = &points[..];
            loop {
                let Part { taken, folded, late } = self.fold_part(rest, with_late).await?;
                rest = &rest[taken..];
                if self.rollups.len() > MOST_ROLLUPS {
                    round.wait().await?;
                    self.rollups.clear();
                }
                let rollups = self.add_to_rollups(folded.additions).await?;
                let next = rest.first().copied().unwrap_or(ends[1]);
                round.commit(&self.ingest, next, folded.chunks, rollups, late).await?;
                if rest.is_empty() {
                    break;
                }
            }
        }
        round.wait().await?;
        let took_ms = self.clock.now().since(started).as_millis() as u64;
        info!(blocks = round.blocks.len(), readings, took_ms, "readings folded");
        Ok(())
    }

    /// Folds as many readings as one step may.
    async fn fold_part(&mut self, points: &[Point], with_late: bool) -> Result<Part, FoldError> {
        let facts = self.facts(points).await?;
        let (mut taken, mut wanted) = (0, Vec::new());
        let (mut part, mut late) = (Buffer::with_capacity(points.len()), Vec::new());
        for group in groups(points) {
            let (series, hour) = (group[0].series(), group[0].hour());
            let last = self.last_hour(series);
            let is_late = matches!(last, LastHour::At(last) if hour < last);
            if is_late && !with_late && group.len() < FEW {
                late.extend(group);
                taken += group.len();
                continue;
            }
            let may_exist = is_late || last == LastHour::Unknown || last == LastHour::At(hour);
            if may_exist && wanted.len() == MOST_STORED {
                break;
            }
            wanted.extend(may_exist.then(|| chunk_id(series, hour)));
            self.note_hour(series, hour);
            part.extend(group);
            taken += group.len();
        }
        let stored = Store::chunks(self.store.reading(), &wanted).await?;
        let stored: HashMap<i64, Chunk> = stored.into_iter().collect();
        let folded = tokio::task::spawn_blocking(move || fold(&part, &facts, &stored));
        Ok(Part { taken, folded: folded.await??, late })
    }

    fn last_hour(&self, series: SeriesId) -> LastHour {
        self.last_hours.get(series as usize).copied().unwrap_or(LastHour::Unknown)
    }

    fn note_hour(&mut self, series: SeriesId, hour: u32) {
        let last = match self.last_hour(series) {
            LastHour::At(last) => last.max(hour),
            LastHour::None | LastHour::Unknown => hour,
        };
        self.last_hours[series as usize] = LastHour::At(last);
    }

    /// What the series of these readings are; learns which of them have chunks.
    async fn facts(&mut self, points: &[Point]) -> Result<Facts, FoldError> {
        let mut facts = Facts::new();
        let mut unknown = Vec::new();
        {
            let names = self.readings.names();
            self.last_hours.resize(names.stored() as usize, LastHour::Unknown);
            for run in points.chunk_by(|one, next| one.series() == next.series()) {
                let series = run[0].series();
                let of = names.series(series).ok_or(FoldError::Damaged)?;
                let declared = names.declared(of.kind).ok_or(FoldError::Damaged)?;
                facts.insert(series, (of, declared.values));
                if self.last_hour(series) == LastHour::Unknown {
                    unknown.push(series);
                }
            }
        }
        if !unknown.is_empty() {
            let range = |series: &SeriesId| (chunk_id(*series, 0), chunk_id(*series + 1, 0) - 1);
            let ranges: Vec<(i64, i64)> = unknown.iter().map(range).collect();
            let last = self.store.last_chunks(&ranges).await?;
            for (series, last) in unknown.into_iter().zip(last) {
                let last = last.map_or(LastHour::None, |id| LastHour::At(series_and_hour(id).1));
                self.last_hours[series as usize] = last;
            }
        }
        Ok(facts)
    }

    /// The roll-ups with what a part adds to them.
    async fn add_to_rollups(&mut self, additions: Additions) -> Result<Vec<Rollup>, FoldError> {
        let mut rollups = Vec::with_capacity(additions.len());
        for ((kind, version, hour), addition) in additions {
            let version = self.readings.names().version(version).clone();
            let key = (kind, version.clone(), hour);
            if !self.rollups.contains_key(&key) {
                let hours = (hour, hour);
                let stored = Store::rollups(self.store.reading(), kind, Some(&version), hours);
                let mut summary = Summary::new(addition.domain());
                for Rollup { summary: bytes, .. } in stored.await? {
                    summary.merge_encoded(&bytes).map_err(|_| Damaged)?;
                }
                self.rollups.insert(key.clone(), summary);
            }
            let Some(summary) = self.rollups.get_mut(&key) else { continue };
            summary.merge(&addition).map_err(|_| Damaged)?;
            let mut bytes = Vec::new();
            summary.encode(&mut bytes);
            rollups.push(Rollup { kind, version, hour, summary: bytes });
        }
        Ok(rollups)
    }
}
