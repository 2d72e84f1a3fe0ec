//! Statistics of one device and type.

use std::collections::BTreeMap;
use std::sync::Arc;

use canary_core::stats::Summary;

use super::super::Readings;
use super::super::block::Block;
use super::super::chunk::{Chunk, Head, Values, add};
use super::super::fold::{chunk_id, series_and_hour};
use super::super::point::{HOUR, Point, SeriesId};
use super::super::series::TypeId;
use super::{Span, Summed, damaged, damaged_block, fault};
use crate::store::{Store, StoreError};

/// Heads as they were read: the number of the chunk, and its head.
type Heads = Vec<(i64, Vec<u8>)>;

/// What is known after a look at blocks and heads.
struct Looked {
    summary: Summary,
    /// Hours whose readings must be united with those of the blocks, which are here.
    hours: BTreeMap<u32, Vec<Point>>,
}

impl Readings {
    /// Sums up the readings of a device of one type; an unknown device has none.
    pub(crate) async fn sum_up(
        &self,
        store: &Store,
        device: &str,
        kind: TypeId,
        span: Span,
    ) -> Result<Option<Summed>, StoreError> {
        let Some((series, values)) = self.series_of(device, kind) else { return Ok(None) };
        // The blocks first: what is folded meanwhile is then seen twice, and never not at all.
        let blocks = self.unfolded.between(span.start, span.end);
        let (first, last) = span.hours();
        let mut heads = Heads::new();
        for series in &series {
            heads.extend(store.heads(chunk_id(*series, first), chunk_id(*series, last)).await?);
        }
        let own = series.clone();
        let looked = move || look(&own, values, span, &blocks, &heads);
        let looked = tokio::task::spawn_blocking(looked).await.map_err(fault)??;
        let Looked { summary, hours } = looked;
        let mut summed = Summed::new(summary);
        let mut ids = Vec::new();
        for hour in hours.keys() {
            ids.extend(series.iter().map(|series| chunk_id(*series, *hour)));
        }
        let chunks = Store::chunks(store.reading(), &ids).await?;
        unite(&mut summed, values, span, hours, &chunks)?;
        Ok(Some(summed))
    }

    /// The stored series of a device and type, one for each version that it had.
    fn series_of(&self, device: &str, kind: TypeId) -> Option<(Vec<SeriesId>, Values)> {
        let names = self.names();
        let values = names.declared(kind)?.values;
        let of_kind = names.of_device(device).into_iter().filter(|(_, of)| of.kind == kind);
        let series: Vec<SeriesId> = of_kind.map(|(series, _)| series).collect();
        if series.is_empty() { None } else { Some((series, values)) }
    }
}

/// The readings of some series that lie in blocks and in a span, sorted, each once, all as if of
/// the series 0.
pub(super) fn unfolded(
    series: &[SeriesId],
    span: Span,
    blocks: &[Arc<Block>],
) -> Result<Vec<Point>, StoreError> {
    let mut points = Vec::new();
    for block in blocks {
        for series in series {
            let from = Point::new(*series, span.start, 0);
            let until = match span.end.checked_add(1) {
                Some(end) => Point::new(*series, end, 0),
                None => Point::new(*series + 1, 0, 0),
            };
            let each = |point: Point| points.push(point.in_series(0));
            block.read(from, until, each).map_err(|_| damaged_block(block.id))?;
        }
    }
    points.sort();
    points.dedup();
    Ok(points)
}

/// Adds up what blocks and heads answer alone, and tells the hours that need a closer look.
fn look(
    series: &[SeriesId],
    values: Values,
    span: Span,
    blocks: &[Arc<Block>],
    heads: &Heads,
) -> Result<Looked, StoreError> {
    let mut summary = Summary::new(values.domain);
    let mut hours: BTreeMap<u32, Vec<Point>> = BTreeMap::new();
    let points = unfolded(series, span, blocks)?;
    let mut by_hour: BTreeMap<u32, &[Point]> = BTreeMap::new();
    for group in points.chunk_by(|one, next| one.hour() == next.hour()) {
        by_hour.insert(group[0].hour(), group);
    }
    let mut seen: BTreeMap<u32, (i64, &[u8])> = BTreeMap::new();
    for (id, head) in heads {
        let hour = series_and_hour(*id).1;
        // Two versions in one hour may have the same reading.
        if seen.insert(hour, (*id, head)).is_some() {
            hours.insert(hour, Vec::new());
        }
    }
    for (hour, (id, bytes)) in seen {
        let head = Head::open(series_and_hour(id).0, hour, bytes).map_err(|_| damaged(id))?;
        let first = by_hour.get(&hour).map(|points| points[0].second() % HOUR);
        let may_be_known = first.is_some_and(|first| first <= head.last);
        if span.cuts(hour) || may_be_known {
            hours.insert(hour, Vec::new());
        } else if !hours.contains_key(&hour) {
            head.add_to(&mut summary, values).map_err(|_| damaged(id))?;
        }
    }
    for (hour, points) in by_hour {
        match hours.get_mut(&hour) {
            Some(waiting) => waiting.extend(points),
            None => add(&mut summary, points, values.coding),
        }
    }
    Ok(Looked { summary, hours })
}

/// Adds the hours that were looked at closer.
fn unite(
    summed: &mut Summed,
    values: Values,
    span: Span,
    hours: BTreeMap<u32, Vec<Point>>,
    chunks: &[(i64, Chunk)],
) -> Result<(), StoreError> {
    let mut by_hour: BTreeMap<u32, Vec<&(i64, Chunk)>> = BTreeMap::new();
    for chunk in chunks {
        by_hour.entry(series_and_hour(chunk.0).1).or_default().push(chunk);
    }
    for (hour, mut points) in hours {
        for (id, chunk) in by_hour.remove(&hour).into_iter().flatten() {
            let (series, hour) = series_and_hour(*id);
            let head = Head::open(series, hour, &chunk.head).map_err(|_| damaged(*id))?;
            let mut stored = Vec::new();
            let are_kept = head.points(chunk.points.as_deref(), &mut stored);
            if are_kept.map_err(|_| damaged(*id))? {
                let asked = stored.into_iter().filter(|point| span.contains(point.second()));
                points.extend(asked.map(|point| point.in_series(0)));
            } else {
                head.add_to(&mut summed.summary, values).map_err(|_| damaged(*id))?;
                summed.is_rounded |= span.cuts(hour);
            }
        }
        points.sort();
        points.dedup();
        add(&mut summed.summary, &points, values.coding);
    }
    Ok(())
}
