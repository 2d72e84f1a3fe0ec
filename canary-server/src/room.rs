//! A room: everything of one organization, from its endpoint down to its tables.
//!
//! What is inside a room knows nothing of others, and nothing of who asks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::access::Desk;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Settings;
use crate::follow::Follower;
use crate::identify::Identifiers;
use crate::ingest::Ingest;
use crate::live::Directory;
use crate::readings::{Folder, Readings};
use crate::role::{Role, Roles};
use crate::store::{Store, StoreError};
use crate::{api, engine, lead};

/// How long the last commit may take.
const LAST_COMMIT: Duration = Duration::from_secs(10);

/// One organization, open for requests.
pub(crate) struct Room {
    app: Arc<App>,
    endpoint: BoxEndpoint<'static>,
    tasks: Mutex<Option<Tasks>>,
}

/// What runs beside the requests.
struct Tasks {
    /// Nothing if this server is no engine.
    leading: Option<JoinHandle<()>>,
    following: JoinHandle<()>,
    counting: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Room {
    /// Brings the schema up to date where it may be, reads what is stored, does what time brought
    /// about meanwhile, and goes on with it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the tables cannot be used.
    pub(crate) async fn open(
        store: Arc<Store>,
        desk: Desk,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StoreError> {
        for step in store.prepare_schema().await? {
            info!(step, place = %store.place(), "schema step applied");
        }
        let directory = Arc::new(Directory::default());
        store.load().await?.into_iter().for_each(|stored| directory.publish(stored));
        let readings = Readings::load(&store, settings.readings_retention_s(), clock.now()).await?;
        let readings = Arc::new(readings);
        let changed = Arc::new(Notify::new());
        let (ingest, writer) = Ingest::start(
            store.clone(),
            directory.clone(),
            readings.clone(),
            clock.clone(),
            changed.clone(),
        );
        let roles = settings.roles;
        if roles.include(Role::Engine) {
            engine::catch_up(&directory, &ingest, &*clock).await;
        }
        let (is_stopping, identifiers) = (AtomicBool::new(false), Identifiers::new());
        let app = App { clock, identifiers, store, directory, readings, ingest, is_stopping };
        let app = Arc::new(app);
        let tasks = Mutex::new(Some(Tasks::start(&app, changed, roles, writer)));
        let endpoint = api::endpoint(&app, &desk);
        Ok(Arc::new(Self { app, endpoint, tasks }))
    }

    /// What answers its requests.
    pub(crate) const fn endpoint(&self) -> &BoxEndpoint<'static> {
        &self.endpoint
    }

    /// Tells those who ask for its health that it stops, and begins nothing new of its own.
    pub(crate) fn begin_to_stop(&self) {
        self.app.is_stopping.store(true, Ordering::Relaxed);
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(Tasks::abort);
    }

    /// Waits for the last commit, and closes the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot be closed; what was acknowledged is durable.
    pub(crate) async fn close(self: Arc<Self>) -> Result<(), StoreError> {
        self.begin_to_stop();
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let store = self.app.store.clone();
        drop(self);
        // With the last entrance gone the writer commits what waits and ends. A request that is
        // cut off at the end of its time holds an entrance a moment longer.
        if let Some(Tasks { writer, .. }) = tasks
            && tokio::time::timeout(LAST_COMMIT, writer).await.is_err()
        {
            warn!("the last commit did not end in time");
        }
        store.close_shared().await
    }
}

impl Tasks {
    fn start(app: &App, changed: Arc<Notify>, roles: Roles, writer: JoinHandle<()>) -> Self {
        let App { clock, store, directory, readings, ingest, .. } = app;
        let follower = Follower {
            store: store.clone(),
            directory: directory.clone(),
            readings: readings.clone(),
            clock: clock.clone(),
            changed: changed.clone(),
            only_shows: roles.only_show(),
        };
        let led = Led {
            directory: directory.clone(),
            readings: readings.clone(),
            store: store.clone(),
            ingest: ingest.clone(),
            clock: clock.clone(),
            changed,
        };
        let counting = engine::count_unreported(
            directory.clone(),
            store.clone(),
            ingest.clone(),
            clock.clone(),
        );
        Self {
            leading: roles
                .include(Role::Engine)
                .then(|| tokio::spawn(lead::run(store.clone(), move || led.clone().run()))),
            following: tokio::spawn(follower.run()),
            counting: tokio::spawn(counting),
            writer,
        }
    }

    fn abort(&self) {
        self.leading.iter().for_each(JoinHandle::abort);
        self.following.abort();
        self.counting.abort();
    }
}

/// What the server that leads does.
#[derive(Clone)]
struct Led {
    directory: Arc<Directory>,
    readings: Arc<Readings>,
    store: Arc<Store>,
    ingest: Ingest,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
}

impl Led {
    async fn run(self) {
        let Self { directory, readings, store, ingest, clock, changed } = self;
        let folder = Folder::new(readings, store, ingest.clone(), clock.clone());
        // Both end when the set is dropped.
        let mut tasks = JoinSet::new();
        tasks.spawn(folder.run());
        tasks.spawn(engine::run(directory, ingest, clock, changed));
        while tasks.join_next().await.is_some() {}
    }
}
