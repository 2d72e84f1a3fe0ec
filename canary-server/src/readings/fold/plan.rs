//! When to fold, and what.
//!
//! An hour that is over is folded once and for all; one that goes on would be written again and
//! again. So blocks wait until their hour is over, as far as memory allows, but never for long:
//! what is not folded is read reading by reading.

use std::time::Duration;

use canary_core::time::Timestamp;

use super::super::Fold;
use super::super::block::Block;
use super::super::point::HOUR;

/// Bytes of blocks from which on everything is folded, the hour that goes on too.
const FULL_BYTES: usize = 160 << 20;

/// Readings of hours that are over from which on they are folded without waiting for more.
const ENOUGH: u64 = 1_000_000;

/// How long readings of an hour that is over wait for more of them.
const SETTLING: Duration = Duration::from_secs(10);

/// How long any block waits.
const LONGEST: Duration = Duration::from_secs(600);

/// Late readings from which on they are folded, and how long they wait: each of them rewrites a
/// chunk, and the more there are of them, the more share one.
const MANY_LATE: u64 = 2_000_000;
const LONGEST_LATE: Duration = Duration::from_secs(6 * 3_600);

/// Readings of an hour come this long after its end without being late.
const GRACE_S: u32 = 60;

/// Blocks with fewer readings are small; from so many small ones on they are merged.
const SMALL: u32 = 8_192;
const MANY_SMALL: usize = 512;

/// Most readings of a merged block.
const MOST_MERGED: u64 = 250_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// Fold all blocks up to this one; late readings too, or put them off once more.
    Fold { last_block: i64, with_late: bool },
    /// Make one block of these.
    Merge { blocks: Vec<i64> },
    /// Let the readings of all hours before this one go; their summaries stay.
    Thin { before_hour: u32 },
}

/// What is to be done now, if anything; `blocks` are in the order of their numbers.
///
/// Readings of hours before `kept_hour` are too old to be kept.
pub(crate) fn plan<'a>(
    blocks: impl Iterator<Item = &'a Block> + Clone,
    fold: &Fold,
    kept_hour: u32,
    now: Timestamp,
) -> Option<Job> {
    let on_time = blocks.clone().filter(|block| !block.is_late);
    interrupted(blocks.clone(), fold)
        .or_else(|| fold_all(blocks.clone(), now))
        .or_else(|| fold_hours(on_time.clone(), now))
        .or_else(|| merge(on_time))
        .or_else(|| thin(blocks, fold, kept_hour))
}

/// A round that was interrupted goes on.
fn interrupted<'a>(mut blocks: impl Iterator<Item = &'a Block>, fold: &Fold) -> Option<Job> {
    let is_left = blocks.next()?.id <= fold.last_block;
    is_left.then_some(Job::Fold { last_block: fold.last_block, with_late: false })
}

/// Everything, if there is too much of it, or some of it has waited too long.
fn fold_all<'a>(blocks: impl Iterator<Item = &'a Block> + Clone, now: Timestamp) -> Option<Job> {
    let last_block = blocks.clone().last()?.id;
    let bytes: usize = blocks.clone().map(Block::size).sum();
    let late = blocks.clone().filter(|block| block.is_late);
    let late_readings: u64 = late.clone().map(|block| u64::from(block.readings)).sum();
    let is_old = |block: &Block, longest| now.since(block.arrived) >= longest;
    let with_late = bytes >= FULL_BYTES
        || late_readings >= MANY_LATE
        || late.clone().any(|block| is_old(block, LONGEST_LATE));
    let mut on_time = blocks.filter(|block| !block.is_late);
    let is_due = with_late || on_time.next().is_some_and(|block| is_old(block, LONGEST));
    is_due.then_some(Job::Fold { last_block, with_late })
}

/// Too old readings that wait in blocks are folded first, so that they are in their summaries.
fn thin<'a>(
    blocks: impl Iterator<Item = &'a Block> + Clone,
    fold: &Fold,
    kept_hour: u32,
) -> Option<Job> {
    if kept_hour <= fold.thinned_hour {
        return None;
    }
    let is_too_old = |block: &&Block| block.first_second / HOUR < kept_hour;
    Some(match blocks.filter(is_too_old).last() {
        Some(last) => Job::Fold { last_block: last.id, with_late: true },
        None => Job::Thin { before_hour: kept_hour },
    })
}

/// The hours that are over, up to the first block of a later one.
///
/// A round folds all blocks up to one of them: what lies behind a block of a later hour can only be
/// reached by folding that one too, and its hour is then written once more when it is over.
/// Nor are small ones passed. The newest block says what is over, and if the clock of its devices is
/// ahead, that seems to be the hour that goes on, which is folded then; the block is the first of
/// all after that, and as long as it waits no other block of its hour brings this about again.
/// What lies behind it waits no longer than the hour that goes on: until the first block has waited
/// for [`LONGEST`], or blocks take [`FULL_BYTES`], or its own hour is over.
fn fold_hours<'a>(
    mut blocks: impl Iterator<Item = &'a Block> + Clone,
    now: Timestamp,
) -> Option<Job> {
    let newest = blocks.clone().last()?;
    let hour = newest.middle_second.saturating_sub(GRACE_S) / HOUR;
    let over = blocks.clone().take_while(|block| block.middle_second / HOUR < hour);
    let readings: u64 = over.clone().map(|block| u64::from(block.readings)).sum();
    let is_settled = now.since(blocks.next()?.arrived) >= SETTLING;
    let last_block = over.last()?.id;
    (readings >= ENOUGH || is_settled).then_some(Job::Fold { last_block, with_late: false })
}

/// Small blocks as one, if there are many.
fn merge<'a>(blocks: impl Iterator<Item = &'a Block> + Clone) -> Option<Job> {
    let small = blocks.filter(|block| block.readings < SMALL);
    if small.clone().count() < MANY_SMALL {
        return None;
    }
    let mut readings = 0;
    let fits = |block: &&Block| {
        readings += u64::from(block.readings);
        readings <= MOST_MERGED
    };
    Some(Job::Merge { blocks: small.take_while(fits).map(|block| block.id).collect() })
}

#[cfg(test)]
mod tests {
    use super::super::super::block::pack;
    use super::super::super::point::Point;
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000_000);

    /// A block whose readings lie in one hour.
    fn block(id: i64, hour: u32, readings: u32, age: Duration) -> Block {
        let points: Vec<Point> =
            (0..readings).map(|series| Point::new(series, hour * HOUR + 100, 1)).collect();
        let arrived = Timestamp::from_micros(NOW.as_micros() - age.as_micros() as i64);
        Block::open(id, pack(&points, false), arrived).unwrap()
    }

    fn planned(blocks: &[Block], last_block: i64) -> Option<Job> {
        plan(blocks.iter(), &Fold { last_block, ..Fold::default() }, 0, NOW)
    }

    #[test]
    fn readings_that_are_too_old_go_after_they_are_folded() {
        let fold = Fold { thinned_hour: 4, ..Fold::default() };
        let blocks = [block(1, 5, 10, Duration::ZERO), block(2, 7, 10, Duration::ZERO)];
        // The second hour goes on, and the first may get more.
        let job = |kept_hour| plan(blocks.iter(), &fold, kept_hour, NOW);
        assert_eq!(job(4), None);
        assert_eq!(job(5), Some(Job::Thin { before_hour: 5 }));
        assert_eq!(job(6), Some(Job::Fold { last_block: 1, with_late: true }));
        assert_eq!(plan([].iter(), &fold, 6, NOW), Some(Job::Thin { before_hour: 6 }));
    }

    #[test]
    fn what_to_do_is_a_matter_of_hours_sizes_and_ages() {
        let (young, old) = (Duration::from_secs(1), Duration::from_secs(60));
        let fold = |last_block| Some(Job::Fold { last_block, with_late: false });
        let cases = [
            ("nothing", vec![], 0, None),
            ("one hour that goes on", vec![block(1, 5, 10, old)], 0, None),
            ("a round that was interrupted", vec![block(3, 5, 10, young)], 3, fold(3)),
            (
                "an hour that is over, and young",
                vec![block(1, 5, 10, young), block(2, 6, 10, young)],
                0,
                None,
            ),
            (
                "an hour that is over, and settled",
                vec![block(1, 5, 10, old), block(2, 5, 9, young), block(3, 6, 10, young)],
                0,
                fold(2),
            ),
            (
                "an hour that is over, and large",
                vec![block(1, 5, 1_000_000, young), block(2, 6, 10, young)],
                0,
                fold(1),
            ),
            (
                "an hour that is over, behind a block of a later one",
                vec![block(1, 6, 1, old), block(2, 5, 1_000_000, old), block(3, 6, 10, young)],
                0,
                None,
            ),
            (
                "the same when the later one is over too",
                vec![block(1, 6, 1, old), block(2, 5, 10, old), block(3, 7, 10, young)],
                0,
                fold(2),
            ),
            (
                "the same when it is too long in memory",
                vec![block(1, 6, 1, LONGEST), block(2, 5, 10, old), block(3, 6, 10, young)],
                0,
                fold(3),
            ),
            (
                "too long in memory",
                vec![block(1, 5, 10, LONGEST), block(2, 5, 1, young)],
                0,
                fold(2),
            ),
        ];
        for (name, blocks, last_block, want) in cases {
            assert_eq!(planned(&blocks, last_block), want, "{name}");
        }
    }

    #[test]
    fn many_small_blocks_are_merged() {
        let of = |count: i64| -> Vec<Block> {
            (1..=count).map(|id| block(id, 5, 2, Duration::ZERO)).collect()
        };
        assert_eq!(planned(&of(MANY_SMALL as i64 - 1), 0), None);
        let blocks = (1..=MANY_SMALL as i64).collect();
        assert_eq!(planned(&of(MANY_SMALL as i64), 0), Some(Job::Merge { blocks }));
    }
}
