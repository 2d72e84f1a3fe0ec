//! The readings of a device themselves, a page at a time.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::super::Readings;
use super::super::block::Block;
use super::super::chunk::{Chunk, Head, Values};
use super::super::fold::{chunk_id, series_and_hour};
use super::super::point::{HOUR, Point, SeriesId};
use super::super::series::TypeId;
use super::device::unfolded;
use super::{Span, damaged, fault};
use crate::store::{Store, StoreError};

/// Chunks that are read at once, at first and at most.
const FIRST_CHUNKS: u32 = 4;
const MOST_CHUNKS: u32 = 64;

/// A reading of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    /// Seconds since 1970.
    pub(crate) second: u32,
    pub(crate) kind: TypeId,
    pub(crate) value: f64,
    /// Empty for none.
    pub(crate) version: Arc<str>,
}

/// Where a page ended: lists are in the order of time, type and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    second: u32,
    kind: TypeId,
    code: u64,
    repetition: u8,
}

impl Cursor {
    const fn of(point: Point, kind: TypeId) -> Self {
        let (second, code) = (point.second(), point.code());
        Self { second, kind, code, repetition: point.repetition() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { second, kind, code, repetition } = self;
        write!(formatter, "{second}-{kind}-{code:x}-{repetition}")
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(());
        let second = part()?.parse().map_err(|_| ())?;
        let kind = part()?.parse().map_err(|_| ())?;
        let code = u64::from_str_radix(part()?, 16).map_err(|_| ())?;
        let repetition = part()?.parse().map_err(|_| ())?;
        if parts.next().is_some() { Err(()) } else { Ok(Self { second, kind, code, repetition }) }
    }
}

/// One series that is listed.
struct Source {
    series: SeriesId,
    kind: TypeId,
    values: Values,
    version: Arc<str>,
}

impl Readings {
    /// The first readings of a device after a cursor, of one type or of all; with the cursor of the
    /// last one if there are more.
    pub(crate) async fn list(
        &self,
        store: &Store,
        device: &str,
        kind: Option<TypeId>,
        span: Span,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Listed>, Option<Cursor>), StoreError> {
        let start = after.map_or(span.start, |after| span.start.max(after.second));
        let span = Span { start, ..span };
        let blocks = self.unfolded.between(span.start, span.end);
        let mut found: Vec<(Cursor, Listed)> = Vec::new();
        for source in self.sources(device, kind) {
            let points = first_points(store, &source, span, &blocks, after, limit + 1).await?;
            found.extend(points.into_iter().map(|point| {
                let Source { kind, values, ref version, .. } = source;
                let (second, value) = (point.second(), values.coding.value(point.code()));
                let listed = Listed { second, kind, value, version: version.clone() };
                (Cursor::of(point, kind), listed)
            }));
        }
        found.sort_by_key(|(cursor, _)| *cursor);
        // The same reading with two versions is one reading.
        found.dedup_by_key(|(cursor, _)| *cursor);
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|(cursor, _)| *cursor);
        Ok((found.into_iter().map(|(_, listed)| listed).collect(), next))
    }

    fn sources(&self, device: &str, kind: Option<TypeId>) -> Vec<Source> {
        let names = self.names();
        let source = |(series, of): (SeriesId, super::super::series::SeriesOf)| {
            let values = names.declared(of.kind)?.values;
            let version = names.version(of.version).clone();
            Some(Source { series, kind: of.kind, values, version })
        };
        let of_device = names.of_device(device).into_iter();
        of_device
            .filter(|(_, of)| kind.is_none_or(|kind| of.kind == kind))
            .filter_map(source)
            .collect()
    }
}

/// The first `wanted` readings of a series in a span, after a cursor.
async fn first_points(
    store: &Store,
    source: &Source,
    span: Span,
    blocks: &[Arc<Block>],
    after: Option<Cursor>,
    wanted: usize,
) -> Result<Vec<Point>, StoreError> {
    let (series, blocks) = (source.series, blocks.to_vec());
    let waiting = tokio::task::spawn_blocking(move || unfolded(&[series], span, &blocks));
    let mut waiting = waiting.await.map_err(fault)??.into_iter().peekable();
    let is_after =
        |point: &Point| after.is_none_or(|after| Cursor::of(*point, source.kind) > after);
    let (first_hour, last_hour) = span.hours();
    let last = chunk_id(series, last_hour);
    let mut next = chunk_id(series, first_hour);
    let mut at_once = FIRST_CHUNKS;
    let mut points: Vec<Point> = Vec::new();
    loop {
        let chunks = store.first_chunks(next, last, at_once).await?;
        let is_end = (chunks.len() as u32) < at_once;
        let mut page = Vec::new();
        for (id, chunk) in &chunks {
            read(*id, chunk, span, &mut page)?;
            next = id + 1;
        }
        // What waits in the blocks joins in, as far as the chunks were read.
        let until = if is_end { u32::MAX } else { series_and_hour(next - 1).1 * HOUR + (HOUR - 1) };
        while let Some(point) = waiting.next_if(|point| point.second() <= until) {
            page.push(point);
        }
        page.sort();
        page.dedup();
        points.extend(page.into_iter().filter(is_after));
        if is_end || points.len() >= wanted {
            points.truncate(wanted);
            return Ok(points);
        }
        at_once = (at_once * 2).min(MOST_CHUNKS);
    }
}

/// Appends the readings of a chunk that lie in a span, as if of the series 0.
fn read(id: i64, chunk: &Chunk, span: Span, page: &mut Vec<Point>) -> Result<(), StoreError> {
    let (series, hour) = series_and_hour(id);
    let head = Head::open(series, hour, &chunk.head).map_err(|_| damaged(id))?;
    let mut points = Vec::new();
    // Readings that are no longer kept cannot be listed.
    head.points(chunk.points.as_deref(), &mut points).map_err(|_| damaged(id))?;
    let asked = points.into_iter().filter(|point| span.contains(point.second()));
    page.extend(asked.map(|point| point.in_series(0)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { second: 1_357_020_000, kind: 3, code: u64::MAX, repetition: 2 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "1", "1-2", "1-2-3", "1-2-x-0", "1-2-3-4-5", "-1-2-3-4"] {
            assert_eq!(text.parse::<Cursor>(), Err(()), "{text}");
        }
    }
}
