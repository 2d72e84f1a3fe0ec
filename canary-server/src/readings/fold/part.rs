//! One part of a fold: a stretch of sorted readings becomes chunks, and what they add to the
//! roll-ups.

use std::collections::{BTreeMap, HashMap};

use canary_core::stats::Summary;

use super::super::block::Block;
use super::super::bytes::Damaged;
use super::super::chunk::{Chunk, Head, Values, add};
use super::super::point::{HOUR, Point, SeriesId};
use super::super::series::{SeriesOf, TypeId, VersionId};
use crate::buffers::Buffer;

/// Readings that one entry of a block's directory stands for.
const SAMPLED: usize = 256;

/// Bits of a chunk's number that are the hour.
const HOUR_BITS: u32 = 22;

/// The number of a chunk.
pub(crate) const fn chunk_id(series: SeriesId, hour: u32) -> i64 {
    (series as i64) << HOUR_BITS | hour as i64
}

/// Series and hour of a chunk.
pub(crate) const fn series_and_hour(id: i64) -> (SeriesId, u32) {
    ((id >> HOUR_BITS) as SeriesId, (id & ((1 << HOUR_BITS) - 1)) as u32)
}

/// Where to cut what the blocks hold from `next` on, so that each part has about `part` readings and
/// no hour of a series is cut.
pub(crate) fn cuts(blocks: &[impl AsRef<Block>], next: Point, part: usize) -> Vec<Point> {
    let mut sample: Vec<Point> = blocks
        .iter()
        .flat_map(|block| block.as_ref().sample())
        .map(|(series, second)| Point::new(series, second - second % HOUR, 0))
        .filter(|point| *point > next)
        .collect();
    sample.sort_unstable();
    let mut cuts: Vec<Point> = vec![next];
    let every = (part / SAMPLED).max(1);
    cuts.extend(sample.iter().skip(every).step_by(every));
    cuts.push(Point::LAST);
    cuts.dedup();
    cuts
}

/// The readings of blocks between two cuts, sorted, each once; `expected` is how many there are,
/// about.
pub(super) fn gather(
    blocks: &[impl AsRef<Block>],
    from: Point,
    until: Point,
    expected: usize,
) -> Result<Buffer<Point>, Damaged> {
    let mut points = Buffer::with_capacity(expected);
    for block in blocks {
        block.as_ref().read(from, until, |point| points.push(point))?;
    }
    // Each block's readings are a sorted run: the stable sort merges runs.
    points.sort();
    points.dedup();
    Ok(points)
}

/// What readings add to roll-ups: a summary by type, version and hour.
pub(super) type Additions = BTreeMap<(TypeId, VersionId, u32), Summary>;

/// What a part became.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) chunks: Vec<(i64, Chunk)>,
    pub(super) additions: Additions,
}

/// Groups of one series and hour.
pub(super) fn groups(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.chunk_by(|one, next| one.series() == next.series() && one.hour() == next.hour())
}

/// What a series is of, and how its values are written.
pub(super) type Facts = HashMap<SeriesId, (SeriesOf, Values)>;

/// Makes chunks of readings; `stored` are the chunks that there were.
pub(super) fn fold(
    points: &[Point],
    facts: &Facts,
    stored: &HashMap<i64, Chunk>,
) -> Result<Folded, Damaged> {
    let mut folded = Folded::default();
    let mut united = Vec::new();
    for group in groups(points) {
        let (series, hour) = (group[0].series(), group[0].hour());
        let (of, values) = facts.get(&series).ok_or(Damaged)?;
        let id = chunk_id(series, hour);
        let addition = folded
            .additions
            .entry((of.kind, of.version, hour))
            .or_insert_with(|| Summary::new(values.domain));
        let Some(old) = stored.get(&id) else {
            folded.chunks.push((id, Chunk::pack(group, *values, addition)?));
            continue;
        };
        let head = Head::open(series, hour, &old.head)?;
        united.clear();
        if !head.points(old.points.as_deref(), &mut united)? {
            add(addition, group, values.coding);
            folded.chunks.push((id, Chunk::add_to_summary(head, group, *values)?));
            continue;
        }
        let new = new_points(&united, group);
        if new.is_empty() {
            continue;
        }
        add(addition, &new, values.coding);
        united.extend(new);
        united.sort();
        let mut seen_before = Summary::new(values.domain);
        folded.chunks.push((id, Chunk::pack(&united, *values, &mut seen_before)?));
    }
    Ok(folded)
}

/// The points of the second that are not in the first; both are sorted.
pub(crate) fn new_points(old: &[Point], points: &[Point]) -> Vec<Point> {
    let mut old = old.iter().copied().peekable();
    let is_new = |point: &Point| {
        while old.next_if(|before| before < point).is_some() {}
        old.peek() != Some(point)
    };
    points.iter().copied().filter(is_new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_chunk_holds_series_and_hour() {
        for (series, hour) in [(0, 0), (1, 0), (7, 400_000), ((1 << 27) - 1, u32::MAX / HOUR)] {
            assert_eq!(series_and_hour(chunk_id(series, hour)), (series, hour));
        }
    }

    #[test]
    fn only_what_was_not_there_is_new() {
        let points = |seconds: &[u32]| -> Vec<Point> {
            seconds.iter().map(|second| Point::new(1, *second, 5)).collect()
        };
        let new = new_points(&points(&[1, 3, 5]), &points(&[0, 1, 2, 3, 6]));
        assert_eq!(new, points(&[0, 2, 6]));
        assert_eq!(new_points(&[], &points(&[1])), points(&[1]));
        assert_eq!(new_points(&points(&[1]), &[]), []);
    }
}
