//! Letting go of readings that are too old to be kept; the summaries of their hours stay.

use canary_core::stats::Summary;
use tracing::info;

use super::super::bytes::Damaged;
use super::super::chunk::{Chunk, Head, Values};
use super::super::point::{HOUR, SeriesId};
use super::round::commit;
use super::{Fold, FoldError, Folder, Step, chunk_id, series_and_hour};

/// Series that are looked at together.
const SERIES: u32 = 1_000;

/// Chunks of one step.
const CHUNKS: u32 = 4_000;

/// What was let go.
#[derive(Default)]
struct Gone {
    /// Chunks that keep nothing but their summaries.
    chunks: usize,
    readings: u64,
}

impl Folder {
    /// Lets the readings of all hours before one go. What was done before is not done again.
    pub(super) async fn thin(&self, before_hour: u32) -> Result<(), FoldError> {
        let from_hour = self.readings.fold().thinned_hour;
        let stored = self.readings.names().stored();
        let mut gone = Gone::default();
        let mut first = 0;
        while first < stored {
            let until = stored.min(first.saturating_add(SERIES));
            let range = |series| (chunk_id(series, from_hour), chunk_id(series, before_hour) - 1);
            self.thin_ranges(&(first..until).map(range).collect::<Vec<_>>(), &mut gone).await?;
            first = until;
        }
        let from = self.readings.fold();
        let to = Fold { thinned_hour: before_hour, ..from };
        commit(&self.ingest, Step { from, to, ..Step::default() }).await?;
        gone.tell(before_hour);
        Ok(())
    }

    async fn thin_ranges(&self, ranges: &[(i64, i64)], gone: &mut Gone) -> Result<(), FoldError> {
        let mut after = -1;
        loop {
            let heads = self.store.heads_with_points(ranges, after, CHUNKS).await?;
            let Some((last, _)) = heads.last() else { return Ok(()) };
            after = *last;
            let values: Vec<Values> = self.values(heads.iter().map(|(id, _)| *id))?;
            let thinned = tokio::task::spawn_blocking(move || {
                let thinned = heads.into_iter().zip(values).map(|((id, head), values)| {
                    let (chunk, readings) = without_points(id, &head, values)?;
                    Ok(((id, chunk), readings))
                });
                thinned.collect::<Result<(Vec<_>, Vec<u64>), Damaged>>()
            });
            let (chunks, readings) = thinned.await??;
            let from = self.readings.fold();
            let count = chunks.len();
            commit(&self.ingest, Step { from, to: from, chunks, ..Step::default() }).await?;
            gone.chunks += count;
            gone.readings += readings.iter().sum::<u64>();
        }
    }

    /// How the values of these chunks are written.
    fn values(&self, ids: impl Iterator<Item = i64>) -> Result<Vec<Values>, FoldError> {
        let names = self.readings.names();
        let of = |series: SeriesId| {
            let declared = names.declared(names.series(series)?.kind)?;
            Some(declared.values)
        };
        ids.map(|id| of(series_and_hour(id).0).ok_or(FoldError::Damaged)).collect()
    }
}

impl Gone {
    fn tell(&self, before_hour: u32) {
        if self.chunks == 0 {
            return;
        }
        // Seconds of 32 bits lie within all times.
        let before = jiff::Timestamp::from_second(i64::from(before_hour) * i64::from(HOUR));
        let before = before.unwrap_or_default();
        info!(
            chunks = self.chunks,
            readings = self.readings,
            %before,
            "readings before {before} let go, their summaries stay"
        );
    }
}

/// A chunk without its readings, and how many they are.
fn without_points(id: i64, head: &[u8], values: Values) -> Result<(Chunk, u64), Damaged> {
    let (series, hour) = series_and_hour(id);
    let head = Head::open(series, hour, head)?;
    let mut summary = Summary::new(values.domain);
    head.add_to(&mut summary, values)?;
    Ok((Chunk::without_points(head, values)?, summary.count()))
}
