//! A chunk: all readings of one series in one hour, in the order of time and value.
//!
//! A row has two parts. The head answers questions about the whole hour; it begins with a format,
//! and with the last second of the hour that has a reading.
//! Few readings lie in the head themselves; of more it holds the summary, and they lie in the
//! second part, which a question about the whole hour never touches.
//! When readings become too old to be kept, the second part goes and the summary stays.
//!
//! A chunk is a set: taking in the same reading again changes nothing, so that a fold that was
//! interrupted can be done again.

use canary_core::stats::{Domain, Summary};

use super::bytes::{Damaged, Reader, put};
use super::point::{Coding, HOUR, Point, SeriesId};

/// Formats of lists of readings: codes as numbers, or as eight whole bytes; with one bit more if a
/// reading is a repetition of another.
const NARROW: u8 = 1;
const WIDE: u8 = 2;
const REPEATED: u8 = 4;
/// Format of a head that holds a summary.
const SUMMARY: u8 = 3;

/// Whether a format is that of a list.
const fn is_list(format: u8) -> bool {
    matches!(format & !REPEATED, NARROW | WIDE)
}

/// Codes from here on are written as eight bytes.
const FIRST_WIDE: u64 = 1 << 56;

/// Readings from which on a summary takes fewer bytes, or far less time, than they do.
const fn many(domain: Domain) -> usize {
    match domain {
        Domain::Counted { .. } => 128,
        Domain::Continuous => 1_024,
    }
}

/// How the values of a series are written and summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Values {
    pub(crate) coding: Coding,
    pub(crate) domain: Domain,
}

/// A chunk as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) head: Vec<u8>,
    pub(crate) points: Option<Vec<u8>>,
}

impl Chunk {
    /// First byte of the heads of chunks whose readings are not in the head.
    pub(crate) const WITHOUT_POINTS: u8 = SUMMARY;

    /// Packs the readings of one series and hour, sorted and all different; at least one.
    ///
    /// They are added to `all` as well: where there is a summary, it is made only once.
    pub(crate) fn pack(
        points: &[Point],
        values: Values,
        all: &mut Summary,
    ) -> Result<Self, Damaged> {
        let last = points.last().map_or(0, |point| point.second() % HOUR);
        let mut head = Vec::new();
        if points.len() < many(values.domain) {
            put_points(&mut head, points, Some(last));
            add(all, points, values.coding);
            return Ok(Self { head, points: None });
        }
        head.push(SUMMARY);
        put(&mut head, u64::from(last));
        let summary = summary_of(points, values);
        all.merge(&summary).map_err(|_| Damaged)?;
        summary.encode(&mut head);
        let mut list = Vec::with_capacity(points.len() * 2 + 8);
        put_points(&mut list, points, None);
        head.shrink_to_fit();
        list.shrink_to_fit();
        Ok(Self { head, points: Some(list) })
    }

    /// Adds readings to an hour whose own are gone: which of them came before cannot be told.
    pub(crate) fn add_to_summary(
        old: Head<'_>,
        points: &[Point],
        values: Values,
    ) -> Result<Self, Damaged> {
        let last = points.last().map_or(0, |point| point.second() % HOUR).max(old.last);
        let mut summary = summary_of(points, values);
        old.add_to(&mut summary, values)?;
        let mut head = vec![SUMMARY];
        put(&mut head, u64::from(last));
        summary.encode(&mut head);
        head.shrink_to_fit();
        Ok(Self { head, points: None })
    }

    /// The same hour without its readings.
    pub(crate) fn without_points(old: Head<'_>, values: Values) -> Result<Self, Damaged> {
        Self::add_to_summary(old, &[], values)
    }
}

/// Sums up readings of one type.
pub(crate) fn summary_of(points: &[Point], values: Values) -> Summary {
    let mut summary = Summary::new(values.domain);
    add(&mut summary, points, values.coding);
    summary
}

/// Adds readings of one type to a summary of its domain.
pub(crate) fn add(summary: &mut Summary, points: &[Point], coding: Coding) {
    for point in points {
        // Values were checked against their type before they became codes; a code of a row that was
        // damaged may be none, and is passed over.
        let _ = summary.observe(coding.value(point.code()), i64::from(point.second()));
    }
}

/// Format, the last second if wished, and the readings.
fn put_points(bytes: &mut Vec<u8>, points: &[Point], last: Option<u32>) {
    let is_wide = points.iter().any(|point| point.code() >= FIRST_WIDE);
    let is_repeated = points.iter().any(|point| point.repetition() > 0);
    let format = if is_wide { WIDE } else { NARROW };
    bytes.push(if is_repeated { format | REPEATED } else { format });
    if let Some(last) = last {
        put(bytes, u64::from(last));
    }
    let mut before = 0;
    for point in points {
        let second = point.second() % HOUR;
        put(bytes, u64::from(second - before));
        before = second;
        if is_wide {
            bytes.extend(point.code().to_le_bytes());
        } else {
            put(bytes, point.code());
        }
        if is_repeated {
            bytes.push(point.repetition());
        }
    }
}

/// A head that is being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    series: SeriesId,
    hour: u32,
    format: u8,
    /// Last second of the hour that has a reading, counted from its beginning.
    pub(crate) last: u32,
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    pub(crate) fn open(series: SeriesId, hour: u32, bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Reader(bytes);
        let format = reader.byte()?;
        let last = u32::try_from(reader.number()?).map_err(|_| Damaged)?;
        let is_known = (is_list(format) || format == SUMMARY) && last < HOUR;
        // The end of the last hour of all lies behind the last second.
        let is_time = hour <= u32::MAX / HOUR;
        if !is_known || !is_time {
            return Err(Damaged);
        }
        Ok(Self { series, hour, format, last, rest: reader.rest() })
    }

    /// Adds the whole hour to a summary of its domain.
    pub(crate) fn add_to(&self, summary: &mut Summary, values: Values) -> Result<(), Damaged> {
        if self.format == SUMMARY {
            return summary.merge_encoded(self.rest).map_err(|_| Damaged);
        }
        let mut points = Vec::new();
        self.read_points(self.format, self.rest, &mut points)?;
        add(summary, &points, values.coding);
        Ok(())
    }

    /// Appends the readings of the hour; `false` if they are gone, then nothing is appended.
    ///
    /// `list` is the second part of the row.
    pub(crate) fn points(
        &self,
        list: Option<&[u8]>,
        points: &mut Vec<Point>,
    ) -> Result<bool, Damaged> {
        match (self.format, list) {
            (SUMMARY, None) => return Ok(false),
            (SUMMARY, Some([format, rest @ ..])) if is_list(*format) => {
                self.read_points(*format, rest, points)?;
            }
            (SUMMARY, Some(_)) => return Err(Damaged),
            (format, _) => self.read_points(format, self.rest, points)?,
        }
        Ok(true)
    }

    fn read_points(
        &self,
        format: u8,
        bytes: &[u8],
        points: &mut Vec<Point>,
    ) -> Result<(), Damaged> {
        let mut reader = Reader(bytes);
        let start = self.hour * HOUR;
        let mut second = start;
        while !reader.is_empty() {
            let step = u32::try_from(reader.number()?).map_err(|_| Damaged)?;
            second = second.checked_add(step).ok_or(Damaged)?;
            if second - start >= HOUR {
                return Err(Damaged);
            }
            let is_wide = format & !REPEATED == WIDE;
            let code =
                if is_wide { u64::from_le_bytes(reader.whole()?) } else { reader.number()? };
            let repetition = if format & REPEATED == 0 { 0 } else { reader.byte()? };
            points.push(Point::new(self.series, second, code).repeated(repetition));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COUNTED: Values = Values {
        coding: Coding::Whole { minimum: 0 },
        domain: Domain::Counted { minimum: 0, maximum: 100 },
    };
    const FLOATS: Values = Values { coding: Coding::Float, domain: Domain::Continuous };
    const HOUR_OF_TESTS: u32 = 400_000;

    fn points(values: Values, size: usize) -> impl Strategy<Value = Vec<Point>> {
        let start = HOUR_OF_TESTS * HOUR;
        let repetition = prop_oneof![99 => Just(0_u8), 1 => 0..16_u8];
        let part = (0..HOUR, 0..=100_u32, repetition);
        proptest::collection::vec(part, 1..size).prop_map(move |parts| {
            let point = |(offset, value, again): (u32, u32, u8)| {
                let code = values.coding.code(f64::from(value));
                Point::new(7, start + offset, code).repeated(again)
            };
            let mut points: Vec<Point> = parts.into_iter().map(point).collect();
            points.sort_unstable();
            points.dedup();
            points
        })
    }

    fn check(points: &[Point], values: Values) {
        let mut all = Summary::new(values.domain);
        let chunk = Chunk::pack(points, values, &mut all).unwrap();
        let head = Head::open(7, HOUR_OF_TESTS, &chunk.head).unwrap();
        assert_eq!(head.last, points.last().unwrap().second() % HOUR);
        let mut read = Vec::new();
        assert!(head.points(chunk.points.as_deref(), &mut read).unwrap());
        assert_eq!(read, points);

        let want = summary_of(points, values);
        let mut whole = Summary::new(values.domain);
        head.add_to(&mut whole, values).unwrap();
        assert_eq!((whole.count(), all.count()), (want.count(), want.count()));
        assert_eq!(whole.median(), want.median());

        let bare = Chunk::without_points(head, values).unwrap();
        let head = Head::open(7, HOUR_OF_TESTS, &bare.head).unwrap();
        assert!(!head.points(None, &mut read).unwrap());
        let more = Chunk::add_to_summary(head, &points[..1], values).unwrap();
        let head = Head::open(7, HOUR_OF_TESTS, &more.head).unwrap();
        let mut summary = Summary::new(values.domain);
        head.add_to(&mut summary, values).unwrap();
        assert_eq!(summary.count(), want.count() + 1);
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back_in_either_form(points in points(COUNTED, 400)) {
            check(&points, COUNTED);
        }

        #[test]
        fn floats_come_back_in_either_form(points in points(FLOATS, 2_500)) {
            check(&points, FLOATS);
        }

        #[test]
        fn damaged_rows_never_panic(
            head in proptest::collection::vec(any::<u8>(), 0..60),
            list in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            if let Ok(head) = Head::open(7, HOUR_OF_TESTS, &head) {
                let _ = head.points(Some(&list), &mut Vec::new());
                let _ = head.add_to(&mut Summary::new(COUNTED.domain), COUNTED);
            }
        }
    }

    #[test]
    fn chunks_that_were_written_before_stay_readable() {
        let start = HOUR_OF_TESTS * HOUR;
        let one = Point::new(7, start + 5, 22);
        let points = [one, one.repeated(1), Point::new(7, start + 200, 50)];
        let chunk = Chunk::pack(&points, COUNTED, &mut Summary::new(COUNTED.domain)).unwrap();
        assert_eq!(chunk.head, [5, 0xc8, 1, 5, 22, 0, 0, 22, 1, 0xc3, 1, 50, 0]);
        let head = Head::open(7, HOUR_OF_TESTS, &chunk.head).unwrap();
        let mut read = Vec::new();
        assert!(head.points(None, &mut read).unwrap());
        assert_eq!(read, points);

        let many: Vec<Point> =
            (0..130).map(|at| Point::new(7, start + at, u64::from(at % 2))).collect();
        let chunk = Chunk::pack(&many, COUNTED, &mut Summary::new(COUNTED.domain)).unwrap();
        assert_eq!(chunk.head[..3], [SUMMARY, 0x81, 1]);
        let list = chunk.points.unwrap();
        assert_eq!(list[..7], [NARROW, 0, 0, 1, 1, 1, 0]);
    }

    #[test]
    fn an_hour_of_readings_takes_two_bytes_each_and_a_small_head() {
        let start = HOUR_OF_TESTS * HOUR;
        let points: Vec<Point> =
            (0..HOUR).map(|at| Point::new(7, start + at, u64::from(at / 36))).collect();
        let chunk = Chunk::pack(&points, COUNTED, &mut Summary::new(COUNTED.domain)).unwrap();
        assert!(chunk.head.len() < 480, "{}", chunk.head.len());
        let list = chunk.points.unwrap();
        assert_eq!(list.len(), 1 + 2 * 3_600);
    }
}
