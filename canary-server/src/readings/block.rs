//! A block: the readings of one commit, packed, in the order of series, time and value.
//!
//! Bytes: the format; number of readings, of segments, first, last and middle second (4 bytes each,
//! little endian); the directory; the segments.
//! A segment holds up to 256 readings and can be read alone: the directory says with which series
//! and second it begins, and where.
//! In it lie runs of one series. A run begins with one byte: the step to its series, the number of
//! its readings and the time of the first, as far as they are small, and whether values take eight
//! whole bytes. What is not small follows as a number. Then come the values, from the second on with
//! the time since the one before; and, only if a reading of the block has one, the repetitions.
//! So a reading that is alone of its series in a commit takes two bytes.
//! One series is found by halving in the directory: about a microsecond, whatever the block's size.

use canary_core::time::Timestamp;

use super::bytes::{Damaged, Reader, fold_sign, put};
use super::point::{Point, SeriesId};
use crate::buffers::Buffer;

/// First byte of a block: a format, with a bit each for readings that came late, and for
/// repetitions.
const FORMAT: u8 = 1;
const LATE: u8 = 2;
const REPEATED: u8 = 4;

/// Readings of a segment.
const SEGMENT: usize = 256;

/// Bytes before the directory, and of one of its entries: series, second, place.
const HEADER: usize = 21;
const ENTRY: usize = 12;

/// Codes from here on are written as eight bytes.
const WIDE: u64 = 1 << 56;

/// The fields of the first byte of a run: two bits for the step, two for the readings after the
/// first, three for the time; the greatest value of each says that a number follows.
const STEP: u64 = 3;
const MORE: u64 = 3;
const TIME: u64 = 7;
const IS_WIDE: u8 = 1 << 7;

/// Seconds before the middle one that the field for the time begins at.
const EARLIER: u32 = 3;

/// A block in memory.
pub(crate) struct Block {
    /// Its row.
    pub(crate) id: i64,
    /// Readings in it.
    pub(crate) readings: u32,
    /// First and last second of any reading in it.
    pub(crate) first_second: u32,
    pub(crate) last_second: u32,
    /// When it was committed, or read at the start of the program.
    pub(crate) arrived: Timestamp,
    /// A second that half of its readings come before.
    pub(crate) middle_second: u32,
    /// Whether its readings were put off by a fold, because their hours had been folded before.
    pub(crate) is_late: bool,
    is_repeated: bool,
    segments: usize,
    bytes: Box<[u8]>,
}

/// Packs readings that are sorted and all different.
pub(crate) fn pack(points: &[Point], is_late: bool) -> Vec<u8> {
    let segments = points.len().div_ceil(SEGMENT);
    let mut bytes = Buffer::with_capacity(HEADER + segments * ENTRY + points.len() * 3 + 16);
    let is_repeated = points.iter().any(|point| point.repetition() > 0);
    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    bytes.push(FORMAT | flag(is_late, LATE) | flag(is_repeated, REPEATED));
    let seconds = points.iter().map(|point| point.second());
    let (first, last) =
        seconds.fold((u32::MAX, 0), |(first, last), second| (first.min(second), last.max(second)));
    let middle = middle_second(points);
    for number in [points.len() as u32, segments as u32, first, last, middle] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.resize(HEADER + segments * ENTRY, 0);
    let body = bytes.len();
    for (index, segment) in points.chunks(SEGMENT).enumerate() {
        let first = segment[0];
        let place = (bytes.len() - body) as u32;
        let entry = HEADER + index * ENTRY;
        bytes[entry..entry + 4].copy_from_slice(&first.series().to_le_bytes());
        bytes[entry + 4..entry + 8].copy_from_slice(&first.second().to_le_bytes());
        bytes[entry + 8..entry + 12].copy_from_slice(&place.to_le_bytes());
        pack_segment(&mut bytes, segment, middle.saturating_sub(EARLIER), is_repeated);
    }
    // Exactly as much memory as it needs: it may stay for long.
    bytes.as_slice().to_vec()
}

/// A second that about half of the readings come before: that of a sample of them.
fn middle_second(points: &[Point]) -> u32 {
    let every = (points.len() / SEGMENT).max(1);
    let mut sample: Vec<u32> = points.iter().step_by(every).map(|point| point.second()).collect();
    let middle = sample.len() / 2;
    if sample.is_empty() { 0 } else { *sample.select_nth_unstable(middle).1 }
}

fn pack_segment(bytes: &mut Vec<u8>, segment: &[Point], base: u32, is_repeated: bool) {
    let mut series = segment[0].series();
    for run in segment.chunk_by(|one, next| one.series() == next.series()) {
        let first = run[0];
        let is_wide = run.iter().any(|point| point.code() >= WIDE);
        let (step, more) = (u64::from(first.series() - series), run.len() as u64 - 1);
        let since = i64::from(first.second()) - i64::from(base);
        let time = u64::try_from(since).map_or(TIME, |since| since.min(TIME));
        let fields = step.min(STEP) | more.min(MORE) << 2 | time << 4;
        bytes.push(fields as u8 | if is_wide { IS_WIDE } else { 0 });
        if step >= STEP {
            put(bytes, step - STEP);
        }
        if more >= MORE {
            put(bytes, more - MORE);
        }
        if time == TIME {
            put(bytes, fold_sign(since));
        }
        let mut before = first.second();
        for (index, point) in run.iter().enumerate() {
            if index > 0 {
                put(bytes, u64::from(point.second() - before));
                before = point.second();
            }
            if is_wide {
                bytes.extend(point.code().to_le_bytes());
            } else {
                put(bytes, point.code());
            }
            if is_repeated {
                bytes.push(point.repetition());
            }
        }
        series = first.series();
    }
}

/// How a run begins.
#[derive(Clone, Copy)]
struct Run {
    series: SeriesId,
    second: u32,
    /// Readings after the first.
    more: u64,
    is_wide: bool,
}

impl Block {
    /// Takes bytes that were packed.
    pub(crate) fn open(id: i64, bytes: Vec<u8>, arrived: Timestamp) -> Result<Self, Damaged> {
        let mut reader = Reader(&bytes);
        let format = reader.byte()?;
        if format & !(LATE | REPEATED) != FORMAT {
            return Err(Damaged);
        }
        let (is_late, is_repeated) = (format & LATE != 0, format & REPEATED != 0);
        let mut field = || reader.whole().map(u32::from_le_bytes);
        let (readings, segments) = (field()?, field()? as usize);
        let (first_second, last_second, middle_second) = (field()?, field()?, field()?);
        let is_whole = segments == (readings as usize).div_ceil(SEGMENT)
            && bytes.len() >= HEADER + segments * ENTRY;
        if !is_whole {
            return Err(Damaged);
        }
        let bytes = bytes.into_boxed_slice();
        Ok(Self {
            id,
            readings,
            first_second,
            last_second,
            middle_second,
            arrived,
            is_late,
            is_repeated,
            segments,
            bytes,
        })
    }

    /// Bytes that it takes in memory, and about as many on disk.
    pub(crate) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Series and second with which each segment begins: a sample of what is in it.
    pub(crate) fn sample(&self) -> impl Iterator<Item = (SeriesId, u32)> {
        (0..self.segments).map(|segment| (self.field(segment, 0), self.field(segment, 4)))
    }

    /// Calls `each` with the readings from `from` to before `until`, in their order.
    pub(crate) fn read(
        &self,
        from: Point,
        until: Point,
        mut each: impl FnMut(Point),
    ) -> Result<(), Damaged> {
        let starts = |segment| Point::new(self.field(segment, 0), self.field(segment, 4), 0);
        // The segment before the first that begins behind `from` may hold it too.
        let (mut low, mut high) = (0, self.segments);
        while low < high {
            let middle = (low + high) / 2;
            if starts(middle) <= from { low = middle + 1 } else { high = middle }
        }
        for segment in low.saturating_sub(1)..self.segments {
            if starts(segment) >= until {
                break;
            }
            self.read_segment(segment, |point| {
                if from <= point && point < until {
                    each(point);
                }
            })?;
        }
        Ok(())
    }

    fn read_segment(&self, segment: usize, mut each: impl FnMut(Point)) -> Result<(), Damaged> {
        let body = HEADER + self.segments * ENTRY;
        let from = body + self.field(segment, 8) as usize;
        let until = match segment + 1 {
            next if next < self.segments => body + self.field(next, 8) as usize,
            _ => self.bytes.len(),
        };
        let mut reader = Reader(self.bytes.get(from..until).ok_or(Damaged)?);
        let mut series = self.field(segment, 0);
        let base = i64::from(self.middle_second.saturating_sub(EARLIER));
        while !reader.is_empty() {
            let fields = reader.byte()?;
            let is_wide = fields & IS_WIDE != 0;
            let fields = u64::from(fields);
            let (mut step, mut more) = (fields & STEP, fields >> 2 & MORE);
            let mut since = (fields >> 4 & TIME) as i64;
            if step == STEP {
                step = reader.number()?.checked_add(STEP).ok_or(Damaged)?;
            }
            if more == MORE {
                more = reader.number()?.checked_add(MORE).ok_or(Damaged)?;
            }
            if since == TIME as i64 {
                since = reader.difference()?;
            }
            let step = u32::try_from(step).map_err(|_| Damaged)?;
            series = series.checked_add(step).ok_or(Damaged)?;
            let second = base.checked_add(since).ok_or(Damaged)?;
            let second = u32::try_from(second).map_err(|_| Damaged)?;
            let run = Run { series, second, more, is_wide };
            self.read_run(&mut reader, run, &mut each)?;
        }
        Ok(())
    }

    fn read_run(
        &self,
        reader: &mut Reader<'_>,
        run: Run,
        each: &mut impl FnMut(Point),
    ) -> Result<(), Damaged> {
        let Run { series, mut second, more, is_wide } = run;
        for index in 0..=more {
            if index > 0 {
                let step = u32::try_from(reader.number()?).map_err(|_| Damaged)?;
                second = second.checked_add(step).ok_or(Damaged)?;
            }
            let code =
                if is_wide { u64::from_le_bytes(reader.whole()?) } else { reader.number()? };
            let repetition = if self.is_repeated { reader.byte()? } else { 0 };
            each(Point::new(series, second, code).repeated(repetition));
        }
        Ok(())
    }

    /// A field of an entry of the directory, whose length was checked when the block was opened.
    fn field(&self, segment: usize, offset: usize) -> u32 {
        let at = HEADER + segment * ENTRY + offset;
        let bytes = self.bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_le_bytes(bytes.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points() -> impl Strategy<Value = Vec<Point>> {
        let code = prop_oneof![4 => 0..101_u64, 1 => any::<u64>()];
        let repetition = prop_oneof![9 => Just(0_u8), 1 => 0..16_u8];
        let second = prop_oneof![4 => 1_000_000..1_000_050_u32, 1 => any::<u32>()];
        let point = (0..40_u32, second, code, repetition);
        proptest::collection::vec(point, 1..2_000).prop_map(|parts| {
            let point = |(series, at, code, again)| Point::new(series, at, code).repeated(again);
            let mut points: Vec<Point> = parts.into_iter().map(point).collect();
            points.sort_unstable();
            points.dedup();
            points
        })
    }

    fn read(block: &Block, from: Point, until: Point) -> Vec<Point> {
        let mut read = Vec::new();
        block.read(from, until, |point| read.push(point)).unwrap();
        read
    }

    proptest! {
        #[test]
        fn what_was_packed_is_read_whole_and_in_any_part(
            points in points(), from in any::<(u8, u32)>(), until in any::<(u8, u32)>(),
        ) {
            let block = Block::open(1, pack(&points, false), Timestamp::from_seconds(0)).unwrap();
            prop_assert_eq!(block.readings as usize, points.len());
            prop_assert_eq!(&read(&block, Point::FIRST, Point::LAST), &points);
            let from = Point::new(u32::from(from.0 % 42), from.1, 0);
            let until = Point::new(u32::from(until.0 % 42), until.1, 0);
            let want: Vec<Point> =
                points.iter().copied().filter(|point| (from..until).contains(point)).collect();
            prop_assert_eq!(read(&block, from, until), want);
        }

        #[test]
        fn damaged_bytes_never_panic(
            points in points(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
            length in any::<prop::sample::Index>(),
        ) {
            let mut bytes = pack(&points, false);
            let place = place.index(bytes.len());
            bytes[place] = byte;
            bytes.truncate(length.index(bytes.len()) + 1);
            if let Ok(block) = Block::open(1, bytes, Timestamp::from_seconds(0)) {
                // Whether it is noticed is luck; that it ends is not.
                let _ = block.read(Point::FIRST, Point::LAST, |_| {});
            }
        }
    }

    #[test]
    fn blocks_that_were_written_before_stay_readable() {
        let points = [
            Point::new(3, 1_000, 22),
            Point::new(3, 1_001, 22),
            Point::new(4, 1_000, 50),
            Point::new(9, 5, 1 << 60),
            Point::new(1_000, 1_002, 300).repeated(2),
        ];
        let hex = concat!(
            "05050000000100000005000000ea030000e8030000",
            "03000000e803000000000000",
            "341600011600",
            "313200",
            "f302bf0f000000000000001000",
            "53dc07ac0202",
        );
        let bytes: Vec<u8> = pack(&points, false);
        let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, hex);
        let block = Block::open(1, bytes, Timestamp::from_seconds(0)).unwrap();
        assert_eq!(read(&block, Point::FIRST, Point::LAST), points);
    }

    #[test]
    fn a_reading_takes_about_two_bytes_in_runs_and_alone() {
        let block = |series: u32, each: u32| {
            let points: Vec<Point> = (0..series)
                .flat_map(|series| (0..each).map(move |at| Point::new(series, 1_000 + at, 50)))
                .collect();
            pack(&points, false).len() as f64 / points.len() as f64
        };
        assert!(block(20_000, 10) < 2.3, "{}", block(20_000, 10));
        assert!(block(200_000, 1) < 2.1, "{}", block(200_000, 1));
    }
}
