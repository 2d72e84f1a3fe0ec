//! One table: copied in batches, compared by its checksum.

use std::ops::ControlFlow;

use futures_util::TryStreamExt as _;

use super::side::{Source, SourcePlace, Target, TargetPlace};
use super::{CopiedTable, CopyError, Difference, Listener, Options, Progress, Stage};
use crate::store::copy::{Row, Table, Written};

/// Most rows of a batch, most values, which databases number with 15 bits, and most bytes.
const MOST_ROWS: usize = 1_000;
const MOST_VALUES: usize = 30_000;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// One who copies tables, and says how far that is.
pub(super) struct Copier<'a, 'l> {
    source: &'a Source,
    target: &'a Target,
    listener: &'a mut Listener<'l>,
    done: u64,
    all: u64,
}

/// Rows that are written together.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bytes: usize,
}

impl Batch {
    fn has_room_for(&self, row: &Row) -> bool {
        let rows = self.rows.len() + 1;
        rows <= MOST_ROWS
            && rows * row.width() <= MOST_VALUES
            && self.bytes + row.size() <= MOST_BYTES
            // One row is written whatever its size.
            || self.rows.is_empty()
    }

    fn push(&mut self, row: Row) {
        self.bytes += row.size();
        self.rows.push(row);
    }
}

impl<'a, 'l> Copier<'a, 'l> {
    pub(super) async fn new(
        source: &'a Source,
        target: &'a Target,
        options: Options,
        listener: &'a mut Listener<'l>,
    ) -> Result<Self, CopyError> {
        let mut all = 0;
        let places = source.places.iter().zip(&target.places);
        for (place, _) in places.filter(|(_, to)| to.is_to_be_written()) {
            for table in &place.tables {
                let rows = place.still.count(table.name).await;
                all += rows.map_err(|cause| source.failed(cause))?;
            }
        }
        let stages = if options.verify { 2 } else { 1 };
        Ok(Self { source, target, listener, done: 0, all: all * stages })
    }

    /// The tables of a place that was copied before, if it has exactly what the source has.
    pub(super) async fn found(
        &self,
        from: &SourcePlace,
        to: &TargetPlace,
        rows: &[(&'static str, u64)],
    ) -> Result<Vec<CopiedTable>, CopyError> {
        let mut tables = Vec::with_capacity(from.tables.len());
        for table in &from.tables {
            let (written, difference) = self.compare(from, to, table).await?;
            if let Some(difference) = difference {
                return Err(CopyError::Occupied {
                    url: self.target.url(),
                    organization: from.organization.clone(),
                    rows: rows.to_vec(),
                    difference,
                });
            }
            tables.push(copied(from, table, written, written.rows));
        }
        Ok(tables)
    }

    /// Copies a table, or what is missing of it.
    pub(super) async fn copy(
        &mut self,
        from: &SourcePlace,
        to: &TargetPlace,
        table: &Table,
    ) -> Result<CopiedTable, CopyError> {
        let target = self.target;
        let written = to.store.written(table).await.map_err(|cause| target.failed(cause))?;
        // What the steps of the schema have put there is in the source as well.
        let mut is_to_begin = written.is_none();
        let mut found = written.unwrap_or_default();
        loop {
            if is_to_begin {
                to.store.begin_table(table).await.map_err(|cause| target.failed(cause))?;
            }
            if let Some(written) = self.copy_after(found, from, to, table).await? {
                self.done += written.rows;
                return Ok(copied(from, table, written, found.rows));
            }
            // The source has changed since: what is written of this table is of no use.
            (found, is_to_begin) = (Written::default(), true);
        }
    }

    /// Copies the rows after those that are written; nothing if the source does not begin with
    /// those any more.
    async fn copy_after(
        &mut self,
        found: Written,
        from: &SourcePlace,
        to: &TargetPlace,
        table: &Table,
    ) -> Result<Option<Written>, CopyError> {
        let (source, target) = (self.source, self.target);
        let mut rows = from.still.rows(table).await.map_err(|cause| source.failed(cause))?;
        let (mut written, mut seen) = (Written::default(), Written::default());
        let mut batch = Batch::default();
        loop {
            let row = rows.try_next().await.map_err(|cause| source.failed(cause.into()))?;
            if seen.rows == found.rows && written.rows < found.rows {
                if seen != found {
                    return Ok(None);
                }
                written = seen;
            }
            let is_full = row.as_ref().is_none_or(|row| !batch.has_room_for(row));
            if is_full && !batch.rows.is_empty() {
                let rows = std::mem::take(&mut batch).rows;
                let stored = to.store.write_rows(table, rows, written.rows, seen).await;
                stored.map_err(|cause| target.failed(cause))?;
                written = seen;
                self.tell(Stage::Copying, from, table, written.rows)?;
            }
            let Some(row) = row else { break };
            seen.rows += 1;
            seen.checksum.add(&row);
            if seen.rows > found.rows {
                batch.push(row);
            } else if seen.rows.is_multiple_of(MOST_ROWS as u64) {
                self.tell(Stage::Copying, from, table, seen.rows)?;
            }
        }
        Ok((seen.rows >= found.rows).then_some(written))
    }

    /// Reads a table of the target, and compares it with what was copied.
    pub(super) async fn verify(
        &mut self,
        from: &SourcePlace,
        to: &TargetPlace,
        table: &Table,
        copied: &CopiedTable,
    ) -> Result<(), CopyError> {
        let target = self.target;
        let mut seen = Written::default();
        let mut rows = to.store.rows(table).await.map_err(|cause| target.failed(cause))?;
        while let Some(row) = rows.try_next().await.map_err(|cause| target.failed(cause.into()))? {
            seen.rows += 1;
            seen.checksum.add(&row);
            if seen.rows.is_multiple_of(MOST_ROWS as u64) {
                self.tell(Stage::Verifying, from, table, seen.rows.min(copied.rows))?;
            }
        }
        drop(rows);
        self.tell(Stage::Verifying, from, table, copied.rows)?;
        self.done += copied.rows;
        if (seen.rows, seen.checksum) == (copied.rows, copied.checksum) {
            return Ok(());
        }
        match self.compare(from, to, table).await? {
            (_, None) => Ok(()),
            (_, Some(difference)) => Err(CopyError::Differs {
                url: target.url(),
                organization: from.organization.clone(),
                difference,
            }),
        }
    }

    /// Reads a table of both, row beside row: what the source has, and where the target differs.
    async fn compare(
        &self,
        from: &SourcePlace,
        to: &TargetPlace,
        table: &Table,
    ) -> Result<(Written, Option<Difference>), CopyError> {
        let (source, target) = (self.source, self.target);
        let mut ours = from.still.rows(table).await.map_err(|cause| source.failed(cause))?;
        let mut theirs = to.store.rows(table).await.map_err(|cause| target.failed(cause))?;
        let (mut here, mut there, mut key) = (Written::default(), 0, None);
        loop {
            let our = ours.try_next().await.map_err(|cause| source.failed(cause.into()))?;
            let their = theirs.try_next().await.map_err(|cause| target.failed(cause.into()))?;
            if our != their && key.is_none() {
                key = table.first_key(our.as_ref(), their.as_ref());
            }
            if our.is_none() && their.is_none() {
                break;
            }
            there += u64::from(their.is_some());
            if let Some(row) = our {
                here.rows += 1;
                here.checksum.add(&row);
            }
        }
        let (source_rows, target_rows) = (here.rows, there);
        let difference = |key| Difference { table: table.name, source_rows, target_rows, key };
        Ok((here, key.map(difference)))
    }

    fn tell(
        &mut self,
        stage: Stage,
        from: &SourcePlace,
        table: &Table,
        rows: u64,
    ) -> Result<(), CopyError> {
        let (organization, done, all) = (&from.organization, self.done + rows, self.all);
        let progress = Progress { stage, organization, table: table.name, done, all };
        match (self.listener)(&progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(CopyError::Stopped),
        }
    }
}

fn copied(from: &SourcePlace, table: &Table, written: Written, found: u64) -> CopiedTable {
    let (organization, name) = (from.organization.clone(), table.name);
    CopiedTable { organization, name, rows: written.rows, found, checksum: written.checksum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_a_bound_of_rows_values_and_bytes() {
        let rows_in = |width: usize, bytes: usize| {
            let row = || Row((0..width).map(|_| vec![0_u8; bytes].into()).collect());
            let mut batch = Batch::default();
            while batch.has_room_for(&row()) {
                batch.push(row());
            }
            batch.rows.len()
        };
        assert_eq!(rows_in(3, 1), MOST_ROWS);
        assert_eq!(rows_in(100, 1), MOST_VALUES / 100);
        assert_eq!(rows_in(1, MOST_BYTES / 4), 3);
        assert_eq!(rows_in(1, 2 * MOST_BYTES), 1);
    }
}
