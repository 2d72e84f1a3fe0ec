//! Summaries over all devices, by type, version and time: whole hours from the roll-ups.
//!
//! A roll-up cannot be united with readings that wait in blocks, so here every part of the answer
//! comes from one view of the database, and the view says which readings of which blocks are in it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use canary_core::stats::Summary;
use canary_core::time::Timestamp;
use sea_orm::DatabaseTransaction;

use super::super::block::Block;
use super::super::chunk::{Chunk, Head, Values, add};
use super::super::fold::{chunk_id, cuts, new_points, series_and_hour};
use super::super::point::{HOUR, Point, SeriesId};
use super::super::series::TypeId;
use super::super::{Fold, Readings};
use super::{Span, Summed, damaged, damaged_block, fault};
use crate::store::{Store, StoreError};

/// How often, and how long apart, to look for a block that is stored and not shown, before it is
/// taken for that of another process.
const PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(2);

/// Readings of blocks that are sorted at once, about.
const PART: usize = 250_000;

/// Chunks that are read at once.
const AT_ONCE: usize = 2_000;

/// What is asked for.
struct Asked {
    /// By number: whether a series is asked for.
    series: Arc<[bool]>,
    values: Values,
    span: Span,
}

impl Readings {
    /// Sums up the readings of all devices of one type, of one version or of all.
    ///
    /// Takes time with the hours asked for, with the readings that were not folded yet, and, where
    /// an hour is cut, with the devices.
    pub(crate) async fn sum_up_all(
        &self,
        store: &Store,
        kind: TypeId,
        version: Option<&str>,
        span: Span,
    ) -> Result<Option<Summed>, StoreError> {
        let Some(asked) = self.asked(kind, version, span) else { return Ok(None) };
        let (view, fold, blocks) = self.view(store).await?;
        let mut summed = Summed::new(Summary::new(asked.values.domain));
        let version = version.map(Arc::from);
        let rollups = Store::rollups(&view, kind, version.as_ref(), span.hours()).await?;
        let mut folded_hours = HashSet::new();
        for rollup in rollups {
            folded_hours.insert(rollup.hour);
            if !span.cuts(rollup.hour) {
                let row = i64::from(rollup.hour);
                summed.summary.merge_encoded(&rollup.summary).map_err(|_| damaged(row))?;
            }
        }
        for hour in folded_hours.iter().filter(|hour| span.cuts(**hour)) {
            asked.add_cut_hour(&view, *hour, &mut summed).await?;
        }
        asked.add_unfolded(&view, fold, blocks, &folded_hours, &mut summed).await?;
        view.rollback().await?;
        Ok(Some(summed))
    }

    fn asked(&self, kind: TypeId, version: Option<&str>, span: Span) -> Option<Asked> {
        let names = self.names();
        let values = names.declared(kind)?.values;
        let version = match version {
            Some(version) => Some(names.version_id(version)?),
            None => None,
        };
        let is_asked = |series: SeriesId| {
            names.series(series).is_some_and(|of| {
                of.kind == kind && version.is_none_or(|version| of.version == version)
            })
        };
        let series = (0..names.stored()).map(is_asked).collect();
        Some(Asked { series, values, span })
    }

    /// One view of the database with the blocks that belong to it.
    async fn view(
        &self,
        store: &Store,
    ) -> Result<(DatabaseTransaction, Fold, Vec<Arc<Block>>), StoreError> {
        for attempt in 1.. {
            let before = self.unfolded.all();
            let view = store.view().await?;
            let fold = Store::fold(&view).await?;
            let ids = Store::reading_block_ids(&view).await?;
            // What was shown since may belong to the view, and what was shown before as well.
            let known: HashMap<i64, Arc<Block>> = before
                .into_iter()
                .chain(self.unfolded.all())
                .map(|block| (block.id, block))
                .collect();
            let blocks: Option<Vec<_>> = ids.iter().map(|id| known.get(id).cloned()).collect();
            if let Some(blocks) = blocks {
                return Ok((view, fold, blocks));
            }
            // A commit is between the database and memory: it is shown in a moment.
            view.rollback().await?;
            if attempt % PATIENCE == 0 {
                // Or it is the work of another process.
                self.catch_up(store, Timestamp::from_seconds(0)).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(StoreError::Stale)
    }
}

impl Asked {
    /// Adds the part of an hour that lies in the span, from the chunks of every series.
    async fn add_cut_hour(
        &self,
        view: &DatabaseTransaction,
        hour: u32,
        summed: &mut Summed,
    ) -> Result<(), StoreError> {
        let series = (0..).zip(&*self.series).filter(|(_, is_asked)| **is_asked);
        let ids: Vec<i64> = series.map(|(series, _)| chunk_id(series, hour)).collect();
        for ids in ids.chunks(AT_ONCE) {
            for (id, chunk) in Store::chunks(view, ids).await? {
                match points_of(id, &chunk)? {
                    Some(mut points) => {
                        points.retain(|point| self.span.contains(point.second()));
                        add(&mut summed.summary, &points, self.values.coding);
                    }
                    None => {
                        let head = head_of(id, &chunk.head)?;
                        let added = head.add_to(&mut summed.summary, self.values);
                        added.map_err(|_| damaged(id))?;
                        summed.is_rounded = true;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the readings of blocks that are in no roll-up, each once.
    async fn add_unfolded(
        &self,
        view: &DatabaseTransaction,
        fold: Fold,
        blocks: Vec<Arc<Block>>,
        folded_hours: &HashSet<u32>,
        summed: &mut Summed,
    ) -> Result<(), StoreError> {
        let blocks = Arc::new(blocks);
        for ends in cuts(&blocks, Point::FIRST, PART).windows(2) {
            let (from, until) = (ends[0], ends[1]);
            let (series, span, own) = (self.series.clone(), self.span, blocks.clone());
            let gather = move || gather(&series, span, fold, &own, from, until);
            let points = tokio::task::spawn_blocking(gather).await.map_err(fault)??;
            let (known, new): (Vec<&[Point]>, Vec<&[Point]>) = points
                .chunk_by(|one, next| one.series() == next.series() && one.hour() == next.hour())
                .partition(|group| folded_hours.contains(&group[0].hour()));
            for group in new {
                add(&mut summed.summary, group, self.values.coding);
            }
            for groups in known.chunks(AT_ONCE) {
                self.add_new(view, groups, summed).await?;
            }
        }
        Ok(())
    }

    /// Adds those of some readings that the chunks of their hours do not have.
    async fn add_new(
        &self,
        view: &DatabaseTransaction,
        groups: &[&[Point]],
        summed: &mut Summed,
    ) -> Result<(), StoreError> {
        let id = |group: &&[Point]| chunk_id(group[0].series(), group[0].hour());
        let ids: Vec<i64> = groups.iter().map(id).collect();
        let heads: HashMap<i64, Vec<u8>> = Store::heads_of(view, &ids).await?.into_iter().collect();
        let mut closer = Vec::new();
        for group in groups {
            let id = id(group);
            let last = match heads.get(&id) {
                Some(head) => Some(head_of(id, head)?.last),
                None => None,
            };
            match last {
                Some(last) if group[0].second() % HOUR <= last => closer.push(id),
                _ => add(&mut summed.summary, group, self.values.coding),
            }
        }
        let chunks = Store::chunks(view, &closer).await?;
        let chunks: HashMap<i64, Chunk> = chunks.into_iter().collect();
        for group in groups {
            let Some(chunk) = chunks.get(&id(group)) else { continue };
            let stored = points_of(id(group), chunk)?.unwrap_or_default();
            add(&mut summed.summary, &new_points(&stored, group), self.values.coding);
        }
        Ok(())
    }
}

/// The readings of blocks that are asked for and not folded, sorted, each once.
fn gather(
    series: &[bool],
    span: Span,
    fold: Fold,
    blocks: &[Arc<Block>],
    from: Point,
    until: Point,
) -> Result<Vec<Point>, StoreError> {
    let mut points = Vec::new();
    for block in blocks {
        let is_folded = |point: Point| block.id <= fold.last_block && point < fold.next();
        let each = |point: Point| {
            let is_series = series.get(point.series() as usize).copied().unwrap_or_default();
            if is_series && span.contains(point.second()) && !is_folded(point) {
                points.push(point);
            }
        };
        block.read(from, until, each).map_err(|_| damaged_block(block.id))?;
    }
    points.sort();
    points.dedup();
    Ok(points)
}

fn head_of(id: i64, bytes: &[u8]) -> Result<Head<'_>, StoreError> {
    let (series, hour) = series_and_hour(id);
    Head::open(series, hour, bytes).map_err(|_| damaged(id))
}

/// The readings of a chunk; `None` if they are no longer kept.
fn points_of(id: i64, chunk: &Chunk) -> Result<Option<Vec<Point>>, StoreError> {
    let mut points = Vec::new();
    let are_kept = head_of(id, &chunk.head)?.points(chunk.points.as_deref(), &mut points);
    Ok(are_kept.map_err(|_| damaged(id))?.then_some(points))
}
