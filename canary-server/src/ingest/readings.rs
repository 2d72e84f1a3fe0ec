//! The part of a step that is about readings: numbers for new series, one block for all readings,
//! types, and the steps of folding.

use std::collections::HashMap;
use std::sync::{Arc, RwLockReadGuard};

use canary_core::reading::{ReadingType, TypeName};
use canary_core::time::Timestamp;

use super::{Fate, IngestError, Receipt, Rejected};
use crate::buffers::Buffer;
use crate::readings::{
    Block, Names, News, Point, Readings, Resolved, SeriesId, SeriesRow, Step, TypeId,
    is_provisional, pack,
};
use crate::store::{PackedBlock, ReadingChanges, StoreError};

/// Readings that are sorted and packed among the other tasks; more of them on a thread of their
/// own, so that nobody else waits for it.
const QUICK: usize = 4_096;

/// What the series of a commit are, stored or new.
pub(super) struct SeriesAt<'a> {
    pub(super) names: RwLockReadGuard<'a, Names>,
    new: &'a [SeriesRow],
}

impl SeriesAt<'_> {
    /// Type and version of a series.
    pub(super) fn of(&self, series: SeriesId) -> Option<(TypeId, &str)> {
        if let Some(of) = self.names.series(series) {
            return Some((of.kind, self.names.version(of.version)));
        }
        let row = self.new.get(series.checked_sub(self.names.stored())? as usize)?;
        Some((row.kind, &row.version))
    }
}

/// What a commit is about to do to readings.
pub(super) struct ReadingDraft {
    readings: Arc<Readings>,
    points: Buffer<Point>,
    /// Numbers that last for provisional ones.
    numbers: HashMap<u32, u32>,
    next_block: i64,
    pub(super) changes: ReadingChanges,
}

impl ReadingDraft {
    /// `expected` is how many readings the commit will have.
    pub(super) fn new(readings: Arc<Readings>, expected: usize) -> Self {
        // In this order: a number that is older than the revision would be one of a block that was
        // folded.
        let fold = readings.fold().revision;
        let next_block = readings.next_block();
        Self {
            readings,
            points: Buffer::with_capacity(expected),
            numbers: HashMap::new(),
            next_block,
            changes: ReadingChanges { fold, ..ReadingChanges::default() },
        }
    }

    /// Takes the readings of one request.
    pub(super) fn take(&mut self, points: &[Point], rejected: &[Rejected]) -> Fate {
        let before = self.points.len();
        self.points.extend_from_slice(points);
        if points.iter().any(|point| is_provisional(point.series()))
            && let Err(error) = self.number(before)
        {
            self.points.truncate(before);
            return Err(error);
        }
        Ok(Receipt::Readings { accepted: points.len() as u64, rejected: rejected.to_vec() })
    }

    /// How many readings were taken so far.
    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    /// The readings taken after the first `from`, and what their series are.
    pub(super) fn taken(&self, from: usize) -> (&[Point], SeriesAt<'_>) {
        let points = self.points.get(from..).unwrap_or_default();
        (points, SeriesAt { names: self.readings.names(), new: &self.changes.series })
    }

    /// Gives provisional series the numbers that last.
    fn number(&mut self, from: usize) -> Result<(), IngestError> {
        let names = self.readings.names();
        let provisional = |point: &&mut Point| is_provisional(point.series());
        for point in self.points[from..].iter_mut().filter(provisional) {
            let series = point.series();
            let id = match self.numbers.get(&series) {
                Some(id) => *id,
                None => {
                    let id = match names.resolve(series) {
                        Resolved::Stored(id) => id,
                        Resolved::TypeIsGone => return Err(IngestError::TypeChanged),
                        Resolved::New { device, kind, version } => {
                            let id = names.stored() + self.changes.series.len() as u32;
                            self.changes.series.push(SeriesRow { id, device, kind, version });
                            id
                        }
                    };
                    self.numbers.insert(series, id);
                    id
                }
            };
            *point = point.in_series(id);
        }
        Ok(())
    }

    /// What is declared under a name.
    pub(super) fn declared(&self, name: &TypeName) -> Option<ReadingType> {
        let names = self.readings.names();
        let declared = names.type_id(name.as_str()).and_then(|id| names.declared(id));
        declared.map(|declared| declared.kind.clone())
    }

    /// Declares a type, or changes one that has no readings yet.
    pub(super) fn declare(&mut self, kind: &ReadingType) -> Fate {
        if !self.changes.types.is_empty() {
            // One in a commit: whoever comes second finds what the first made of it.
            return Err(IngestError::TypeChanged);
        }
        let names = self.readings.names();
        let id = match names.type_id(kind.name.as_str()) {
            None => names.next_type(),
            Some(id) => match names.declared(id) {
                Some(declared) if declared.kind == *kind => return Ok(Receipt::TypeDeclared),
                Some(declared) if declared.kind.has_values_of(kind) => id,
                Some(declared) if names.has_series(id) => {
                    return Err(IngestError::TypeHasReadings(declared.kind.clone()));
                }
                _ => names.next_type(),
            },
        };
        if id == TypeId::MAX {
            return Err(IngestError::TooManyTypes);
        }
        self.changes.types.push((id, kind.clone()));
        Ok(Receipt::TypeDeclared)
    }

    /// Takes a step of folding, if nobody folded since it was made.
    pub(super) fn fold(&mut self, step: &Arc<Step>) -> Fate {
        let is_elsewhere = step.from.revision != self.readings.fold().revision;
        if is_elsewhere || self.changes.step.is_some() {
            return Err(IngestError::FoldedElsewhere);
        }
        if let Some(merged) = &step.merged {
            self.push_block(merged.readings, merged.bytes.clone());
        }
        self.changes.step = Some(step.clone());
        Ok(Receipt::Folded)
    }

    fn push_block(&mut self, readings: u32, bytes: Vec<u8>) {
        let id = self.next_block;
        self.next_block += 1;
        self.changes.blocks.push(PackedBlock { id, readings, bytes });
    }

    /// Makes one block of all readings.
    pub(super) async fn finish(&mut self) -> Result<(), StoreError> {
        let mut points = std::mem::take(&mut self.points);
        if points.is_empty() {
            return Ok(());
        }
        let is_quick = points.len() <= QUICK;
        let mut sort_and_pack = move || {
            points.sort_unstable();
            points.dedup();
            (points.len() as u32, pack(&points, false))
        };
        let (readings, bytes) = if is_quick {
            sort_and_pack()
        } else {
            let packed = tokio::task::spawn_blocking(sort_and_pack).await;
            packed.map_err(|error| StoreError::Fault(error.to_string()))?
        };
        self.push_block(readings, bytes);
        Ok(())
    }

    /// Shows what was committed.
    pub(super) fn publish(self, changes: ReadingChanges, now: Timestamp) {
        let ReadingChanges { types, series, blocks, fold: _, step } = changes;
        // What was packed here can be opened.
        let open = |block: PackedBlock| Block::open(block.id, block.bytes, now).ok();
        let blocks = blocks.into_iter().filter_map(open).collect();
        self.readings.publish(News { types, series, blocks, step });
    }
}
