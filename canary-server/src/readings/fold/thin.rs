//! Letting go of readings that are too old to be kept; the summaries of their hours stay.

use super::super::bytes::Damaged;
use super::super::chunk::{Chunk, Head, Values};
use super::super::point::SeriesId;
use super::{Fold, FoldError, Folder, Step, chunk_id, commit, series_and_hour};

/// Series that are looked at together.
const SERIES: u32 = 1_000;

/// Chunks of one step.
const CHUNKS: u32 = 4_000;

impl Folder {
    /// Lets the readings of all hours before one go. What was done before is not done again.
    pub(super) async fn thin(&self, before_hour: u32) -> Result<(), FoldError> {
        let from_hour = self.readings.fold().thinned_hour;
        let stored = self.readings.names().stored();
        let mut first = 0;
        while first < stored {
            let until = stored.min(first.saturating_add(SERIES));
            let range = |series| (chunk_id(series, from_hour), chunk_id(series, before_hour) - 1);
            self.thin_ranges(&(first..until).map(range).collect::<Vec<_>>()).await?;
            first = until;
        }
        let from = self.readings.fold();
        let to = Fold { thinned_hour: before_hour, ..from };
        commit(&self.ingest, Step { from, to, ..Step::default() }).await
    }

    async fn thin_ranges(&self, ranges: &[(i64, i64)]) -> Result<(), FoldError> {
        let mut after = -1;
        loop {
            let heads = self.store.heads_with_points(ranges, after, CHUNKS).await?;
            let Some((last, _)) = heads.last() else { return Ok(()) };
            after = *last;
            let values: Vec<Values> = self.values(heads.iter().map(|(id, _)| *id))?;
            let thinned = tokio::task::spawn_blocking(move || {
                let thin = |((id, head), values): ((i64, Vec<u8>), Values)| {
                    let (series, hour) = series_and_hour(id);
                    let head = Head::open(series, hour, &head)?;
                    Ok((id, Chunk::without_points(head, values)?))
                };
                heads.into_iter().zip(values).map(thin).collect::<Result<Vec<_>, Damaged>>()
            });
            let chunks = thinned.await??;
            let from = self.readings.fold();
            commit(&self.ingest, Step { from, to: from, chunks, ..Step::default() }).await?;
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
