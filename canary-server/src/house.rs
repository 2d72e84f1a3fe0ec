//! The house: the rooms of all organizations, and who may enter which.
//!
//! All rooms are opened at the start. One that is made while servers run is opened when it is first
//! asked for, and by the others within a second: they look whether organizations or keys have
//! changed, and on PostgreSQL they are told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::access::{Access, Desk};
use crate::clock::Clock;
use crate::config::Settings;
use crate::organization::{Organization, OrganizationId};
use crate::role::Roles;
use crate::room::Room;
use crate::server::StartError;
use crate::store::{Place, Registry, RegistryListener, Store, StoreError};

/// How often to look whether organizations or keys have changed.
const LOOK: Duration = Duration::from_secs(1);

/// All organizations.
pub(crate) struct House {
    settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) access: Arc<Access>,
    rooms: RwLock<HashMap<OrganizationId, Arc<Room>>>,
    /// Held while a room is opened, so that none is opened twice; whether the house is closed.
    opening: tokio::sync::Mutex<bool>,
    /// Why rooms could not be opened when it was tried last.
    failed: Mutex<HashMap<OrganizationId, String>>,
    /// Whether everybody may enter while there is no key.
    is_open: AtomicBool,
}

impl House {
    /// Opens all rooms.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the tables of one of them cannot be used.
    pub(crate) async fn open(
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StartError> {
        let place = Place::of_default(&settings.database).with(settings.pool);
        let in_store = |cause| StartError::Store { url: settings.database.to_string(), cause };
        let store = Arc::new(Store::connect(&place).await.map_err(in_store)?);
        for step in store.prepare_schema().await.map_err(in_store)? {
            info!(step, "schema step applied");
        }
        let access = Access::load(Registry::of(store.clone())).await.map_err(in_store)?;
        let access = Arc::new(access);
        let desk = Desk::of(OrganizationId::DEFAULT, access.clone());
        let default = Room::open(store, desk, settings, clock.clone()).await.map_err(in_store)?;
        let house = Arc::new(Self {
            settings: settings.clone(),
            clock,
            access,
            rooms: RwLock::new(HashMap::from([(OrganizationId::DEFAULT, default)])),
            opening: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
            is_open: AtomicBool::new(false),
        });
        if let Err(failed) = house.open_all().await {
            // The first cause is the one to be told.
            let _ = house.close().await;
            return Err(failed);
        }
        Ok(house)
    }

    async fn open_all(&self) -> Result<(), StartError> {
        for Organization { id, name, .. } in &self.access.known().organizations {
            let opened = self.open_room(*id).await;
            opened.map_err(|cause| StartError::Organization { name: name.clone(), cause })?;
        }
        Ok(())
    }

    /// Which part of the work this server does.
    pub(crate) const fn roles(&self) -> Roles {
        self.settings.roles
    }

    /// Lets everybody enter as long as there is no key.
    pub(crate) fn open_to_all(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    /// Whether everybody may do everything.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed) && !self.access.known().has_keys
    }

    /// The room of an organization, opened if it is not yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if its tables cannot be used. Then it is tried again every second, and not by
    /// everybody who asks for it.
    pub(crate) async fn room(&self, id: OrganizationId) -> Result<Arc<Room>, StoreError> {
        if let Some(room) = self.opened(id) {
            return Ok(room);
        }
        let failed = self.failed().get(&id).cloned();
        match failed {
            Some(cause) => Err(StoreError::Fault(cause)),
            None => self.open_room(id).await,
        }
    }

    async fn open_room(&self, id: OrganizationId) -> Result<Arc<Room>, StoreError> {
        let is_closed = self.opening.lock().await;
        if let Some(room) = self.opened(id) {
            return Ok(room);
        }
        let known = self.access.known();
        let organization = known.organizations.iter().find(|organization| organization.id == id);
        let organization = organization.filter(|_| !*is_closed);
        let gone = || StoreError::UnknownOrganization(id.to_string());
        let Organization { name, .. } = organization.ok_or_else(gone)?;
        let place = Place::of(&self.settings.database, name).with(self.settings.pool);
        let store = Store::connect(&place).await?;
        let desk = Desk::of(id, self.access.clone());
        let room = Room::open(store.into(), desk, &self.settings, self.clock.clone()).await?;
        info!(organization = %name, "organization opened");
        self.rooms.write().unwrap_or_else(PoisonError::into_inner).insert(id, room.clone());
        self.failed().remove(&id);
        Ok(room)
    }

    fn failed(&self) -> MutexGuard<'_, HashMap<OrganizationId, String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self, id: OrganizationId) -> Option<Arc<Room>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Follows what changes of organizations and keys, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        // Both end when the set is dropped. Keys do not wait for rooms that are slow to open.
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().follow());
        tasks.spawn(self.open_new_rooms());
        while tasks.join_next().await.is_some() {}
    }

    /// Takes note of what changes.
    async fn follow(self: Arc<Self>) {
        let mut listener = None;
        loop {
            if listener.is_none() {
                listener = self.listen().await;
            }
            if let Err(cause) = self.access.refresh().await {
                warn!(%cause, "organizations and keys could not be read, trying again in a second");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                heard = hear(&mut listener) => if let Err(cause) = heard {
                    warn!(%cause, "changes of keys cannot be heard, looking every second");
                    listener = None;
                    // Not at once again: what cannot be heard now will not be in a moment.
                    tokio::time::sleep(LOOK).await;
                },
            }
        }
    }

    async fn listen(&self) -> Option<RegistryListener> {
        match self.access.registry().listen().await {
            Ok(listener) => listener,
            Err(cause) => {
                warn!(%cause, "changes of keys cannot be heard, looking every second");
                None
            }
        }
    }

    /// Opens what is not opened yet; what could not be opened is tried again and again.
    async fn open_new_rooms(self: Arc<Self>) {
        loop {
            for Organization { id, name, .. } in &self.access.known().organizations {
                let Err(cause) = self.open_room(*id).await else { continue };
                let cause = cause.to_string();
                if self.failed().insert(*id, cause.clone()).as_ref() != Some(&cause) {
                    let organization = name.as_str();
                    warn!(organization, cause, "an organization cannot be opened, trying again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.access.changed.notified() => {}
            }
        }
    }

    /// Tells those who ask for the health of the server that it stops.
    pub(crate) fn begin_to_stop(&self) {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.values().for_each(|room| room.begin_to_stop());
    }

    /// Closes all rooms, after the last commit of each.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the first that could not be closed; the others are closed all the same.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        *self.opening.lock().await = true;
        let rooms =
            std::mem::take(&mut *self.rooms.write().unwrap_or_else(PoisonError::into_inner));
        let mut closing: JoinSet<Result<(), StoreError>> =
            rooms.into_values().map(Room::close).collect();
        let mut outcome = Ok(());
        while let Some(closed) = closing.join_next().await {
            let closed = closed.unwrap_or_else(|panic| Err(StoreError::Fault(panic.to_string())));
            outcome = outcome.and(closed);
        }
        outcome
    }
}

/// Waits for news; for ever if nobody tells any.
async fn hear(listener: &mut Option<RegistryListener>) -> Result<(), StoreError> {
    match listener {
        None => std::future::pending().await,
        Some(listener) => listener.hear().await,
    }
}
