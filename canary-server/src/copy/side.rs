//! The two sides of a copy, opened so that nobody else is at work on them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::catalogue::tables;
use super::{CopyError, Side};
use crate::config::DatabaseUrl;
use crate::organization::OrganizationName;
use crate::store::copy::{Alone, Still, Table};
use crate::store::{Place, Registry, Store, StoreError};

/// How long is waited for one who is about to end, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);

/// What is read.
pub(super) struct Source {
    url: DatabaseUrl,
    pub(super) places: Vec<SourcePlace>,
    stores: Vec<Arc<Store>>,
    alone: Option<Alone>,
}

/// The tables of one organization, as they are at one moment.
pub(super) struct SourcePlace {
    pub(super) organization: OrganizationName,
    pub(super) tables: Vec<Table>,
    pub(super) still: Still,
}

impl Source {
    /// Opens all organizations, and lets nobody write to them.
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, CopyError> {
        let (places, stores) = (Vec::new(), Vec::new());
        let mut source = Self { url: url.clone(), places, stores, alone: None };
        match source.open_all().await {
            Ok(()) => Ok(source),
            Err(failed) => {
                // The first cause is the one to be told.
                let _ = source.close().await;
                Err(failed)
            }
        }
    }

    async fn open_all(&mut self) -> Result<(), CopyError> {
        let default = OrganizationName::default_one();
        let place = Place::of_default(&self.url);
        let in_use = CopyError::InUse { side: Side::Source, url: self.url.to_string() };
        if is_open_elsewhere(&place).await.map_err(|cause| self.failed(cause))? {
            return Err(in_use);
        }
        let store = self.connect(&place).await?;
        let alone = alone(&store).await.map_err(|cause| self.failed(cause))?;
        self.alone = Some(alone.ok_or(in_use)?);
        self.keep_still(default, &store).await?;
        let organizations = Registry::of(store).organizations().await;
        for organization in organizations.map_err(|cause| self.failed(cause))? {
            if !organization.name.is_default() {
                let store = self.connect(&Place::of(&self.url, &organization.name)).await?;
                self.keep_still(organization.name, &store).await?;
            }
        }
        Ok(())
    }

    async fn connect(&mut self, place: &Place) -> Result<Arc<Store>, CopyError> {
        let store = Store::connect_to_existing(place).await.map_err(|cause| self.failed(cause))?;
        let store = Arc::new(store);
        self.stores.push(store.clone());
        Ok(store)
    }

    async fn keep_still(
        &mut self,
        organization: OrganizationName,
        store: &Store,
    ) -> Result<(), CopyError> {
        let missing = self.missing_steps(store).await.map_err(|cause| self.failed(cause))?;
        if !missing.is_empty() {
            return Err(CopyError::OldSource { url: self.url.to_string(), organization, missing });
        }
        let place = self.keep_tables_still(organization, store).await;
        self.places.push(place.map_err(|cause| self.failed(cause))?);
        Ok(())
    }

    async fn missing_steps(&self, store: &Store) -> Result<Vec<String>, StoreError> {
        if store.has_unfinished_copy().await? {
            return Err(StoreError::UnfinishedCopy(store.place().to_string()));
        }
        let mut missing = Vec::new();
        for lineage in store.place().lineages() {
            let steps = store.schema_steps(*lineage).await?;
            missing.extend(steps.into_iter().filter(|step| !step.is_applied).map(|step| step.name));
        }
        Ok(missing)
    }

    async fn keep_tables_still(
        &self,
        organization: OrganizationName,
        store: &Store,
    ) -> Result<SourcePlace, StoreError> {
        let entries = store.place().lineages().iter().flat_map(|lineage| tables(*lineage));
        let names: Vec<&'static str> = entries.map(|(name, _)| *name).collect();
        let mut tables = Vec::with_capacity(names.len());
        for name in &names {
            tables.push(store.table(name).await?);
        }
        let still = store.keep_still(&names).await?;
        Ok(SourcePlace { organization, tables, still })
    }

    /// Lets others in again.
    pub(super) async fn close(self) -> Result<(), CopyError> {
        let failed = |cause| CopyError::Source { url: self.url.to_string(), cause };
        let mut outcome = Ok(());
        for place in self.places {
            outcome = outcome.and(place.still.end().await);
        }
        close(outcome, &self.stores, self.alone).await.map_err(failed)
    }

    pub(super) fn failed(&self, cause: StoreError) -> CopyError {
        CopyError::Source { url: self.url.to_string(), cause }
    }
}

/// What is written.
pub(super) struct Target {
    url: DatabaseUrl,
    /// In the order of those of the source.
    pub(super) places: Vec<TargetPlace>,
    stores: Vec<Arc<Store>>,
    alone: Option<Alone>,
}

/// Where the tables of one organization are written.
pub(super) struct TargetPlace {
    pub(super) store: Arc<Store>,
    pub(super) state: State,
}

impl TargetPlace {
    /// Whether the copy writes to it.
    pub(super) const fn is_to_be_written(&self) -> bool {
        matches!(self.state, State::Empty | State::Unfinished)
    }
}

/// What was in a place when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing.
    Empty,
    /// What a copy has written that was interrupted.
    Unfinished,
    /// So many rows in these tables, and no copy that was interrupted.
    HasRows(Vec<(&'static str, u64)>),
}

impl Target {
    /// Opens a place for each organization of a source, with its schema.
    pub(super) async fn open(url: &DatabaseUrl, source: &Source) -> Result<Self, CopyError> {
        let (places, stores) = (Vec::new(), Vec::new());
        let mut target = Self { url: url.clone(), places, stores, alone: None };
        match target.open_all(source).await {
            Ok(()) => Ok(target),
            Err(failed) => {
                // The first cause is the one to be told.
                let _ = target.close().await;
                Err(failed)
            }
        }
    }

    async fn open_all(&mut self, source: &Source) -> Result<(), CopyError> {
        let in_use = || CopyError::InUse { side: Side::Target, url: self.url.to_string() };
        for SourcePlace { organization, tables, .. } in &source.places {
            let place = Place::of(&self.url, organization);
            if is_open_elsewhere(&place).await.map_err(|cause| self.failed(cause))? {
                return Err(in_use());
            }
            let store = Store::make(&place).await.map_err(|cause| self.failed(cause))?;
            let store = Arc::new(store);
            self.stores.push(store.clone());
            if place.is_default {
                let alone = alone(&store).await.map_err(|cause| self.failed(cause))?;
                self.alone = Some(alone.ok_or_else(in_use)?);
            }
            let state = self.state(&store, tables).await?;
            self.places.push(TargetPlace { store, state });
        }
        Ok(())
    }

    async fn state(&self, store: &Store, wanted: &[Table]) -> Result<State, CopyError> {
        store.make_schema().await.map_err(|cause| self.failed(cause))?;
        for table in wanted {
            let found = store.table(table.name).await.map_err(|cause| self.failed(cause))?;
            if found != *table {
                return Err(CopyError::Columns { url: self.url(), table: table.name });
            }
        }
        look(store).await.map_err(|cause| self.failed(cause))
    }

    /// Lets others in.
    pub(super) async fn close(self) -> Result<(), CopyError> {
        let failed = |cause| CopyError::Target { url: self.url.to_string(), cause };
        drop(self.places);
        close(Ok(()), &self.stores, self.alone).await.map_err(failed)
    }

    pub(super) fn failed(&self, cause: StoreError) -> CopyError {
        CopyError::Target { url: self.url(), cause }
    }

    pub(super) fn url(&self) -> String {
        self.url.to_string()
    }
}

async fn look(store: &Store) -> Result<State, StoreError> {
    if store.has_unfinished_copy().await? {
        return Ok(State::Unfinished);
    }
    let mut rows = Vec::new();
    for (name, stored) in store.place().lineages().iter().flat_map(|lineage| tables(*lineage)) {
        let count = store.count(name, stored).await?;
        if count > 0 {
            rows.push((*name, count));
        }
    }
    Ok(if rows.is_empty() { State::Empty } else { State::HasRows(rows) })
}

/// Closes what was opened; the first failure, with all else closed all the same.
async fn close(
    mut outcome: Result<(), StoreError>,
    stores: &[Arc<Store>],
    alone: Option<Alone>,
) -> Result<(), StoreError> {
    for store in stores {
        outcome = outcome.and(store.close_shared().await);
    }
    match alone {
        Some(alone) => outcome.and(alone.end().await),
        None => outcome,
    }
}

/// Whether somebody else has the file of a place open, and does not let go of it.
async fn is_open_elsewhere(place: &Place) -> Result<bool, StoreError> {
    let began = Instant::now();
    while place.is_open_elsewhere().await? {
        if began.elapsed() > PATIENCE {
            return Ok(true);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(false)
}

/// The lead over a place; nothing if somebody else has it, and does not let go of it.
async fn alone(store: &Store) -> Result<Option<Alone>, StoreError> {
    let began = Instant::now();
    loop {
        let alone = store.try_to_be_alone().await?;
        if alone.is_some() || began.elapsed() > PATIENCE {
            return Ok(alone);
        }
        tokio::time::sleep(LOOK).await;
    }
}
