//! A server's life: start, serve, drain, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use poem::Server as HttpServer;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::config::Settings;
use crate::follow::Follower;
use crate::identify::Identifiers;
use crate::ingest::Ingest;
use crate::live::Directory;
use crate::readings::{Folder, Readings};
use crate::store::{Store, StoreError};
use crate::{api, engine, lead};

/// How long requests that are under way may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error("cannot use the database {url}: {cause}")]
    Store {
        /// Its address, without a password.
        url: String,
        /// What is wrong.
        cause: StoreError,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// Host and port.
        address: String,
        /// What is wrong.
        cause: std::io::Error,
    },
}

/// Why a server did not stop as it should.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The signals that ask a process to stop cannot be heard.
    #[error("cannot listen to the signals of the system: {0}")]
    Signals(std::io::Error),
    /// The network failed while serving.
    #[error("the server failed: {0}")]
    Serve(std::io::Error),
    /// The database could not be closed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A server that answers.
pub struct Server {
    address: SocketAddr,
    app: Arc<App>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    leading: JoinHandle<()>,
    following: JoinHandle<()>,
    counting: JoinHandle<()>,
    writer: JoinHandle<()>,
}

/// Threads for heavy work beyond one per processor: whoever folds, and who packs, beside those who
/// read bodies.
const MORE_THREADS: usize = 2;

/// The threads that suit a server.
///
/// Any runtime of tokio with all its drivers will do. This one has few threads for heavy work: each
/// of them keeps some megabytes of memory to itself, and more of them would not be quicker.
///
/// # Errors
///
/// The system's, if it has no more threads to give.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(processors + MORE_THREADS)
        .enable_all()
        .build()
}

/// Starts a server: brings the schema up to date where it may, reads what is stored, does what time
/// brought about meanwhile, and listens.
///
/// # Errors
///
/// [`StartError`] if the database cannot be used or the address is taken.
pub async fn start(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Server, StartError> {
    let in_store = |cause| StartError::Store { url: settings.database.to_string(), cause };
    let store = Store::connect(&settings.database).await.map_err(in_store)?;
    for step in store.prepare_schema().await.map_err(in_store)? {
        info!(step, "schema step applied");
    }
    let directory = Arc::new(Directory::default());
    for stored in store.load().await.map_err(in_store)? {
        directory.publish(stored);
    }

    let changed = Arc::new(Notify::new());
    let readings = Readings::load(&store, settings.readings_retention_s(), clock.now());
    let readings = Arc::new(readings.await.map_err(in_store)?);
    let store = Arc::new(store);
    let (ingest, writer) = Ingest::start(
        store.clone(),
        directory.clone(),
        readings.clone(),
        clock.clone(),
        changed.clone(),
    );
    engine::catch_up(&directory, &ingest, &*clock).await;
    let following = Follower {
        store: store.clone(),
        directory: directory.clone(),
        readings: readings.clone(),
        clock: clock.clone(),
        changed: changed.clone(),
    };
    let following = tokio::spawn(following.run());
    let led = Led {
        directory: directory.clone(),
        readings: readings.clone(),
        store: store.clone(),
        ingest: ingest.clone(),
        clock: clock.clone(),
        changed,
    };
    let counting = engine::count_unreported(directory.clone(), ingest.clone(), clock.clone());
    let counting = tokio::spawn(counting);
    let leading = tokio::spawn(lead::run(store.clone(), move || led.clone().run()));
    let is_stopping = AtomicBool::new(false);
    let identifiers = Identifiers::new();
    let app = Arc::new(App { clock, identifiers, store, directory, readings, ingest, is_stopping });

    let address = format!("{}:{}", settings.host, settings.port);
    let listen = |cause| StartError::Listen { address: address.clone(), cause };
    let acceptor = TcpListener::bind(address.clone()).into_acceptor().await.map_err(listen)?;
    let bound = acceptor.local_addr().into_iter().find_map(|local| local.as_socket_addr().copied());
    let unknown = || listen(std::io::Error::other("the system does not tell the address"));
    let bound = bound.ok_or_else(unknown)?;

    let (stop, stopped) = oneshot::channel();
    let endpoint = api::endpoint(&app);
    let serving = tokio::spawn(async move {
        let stopped = async { _ = stopped.await };
        HttpServer::new_with_acceptor(acceptor)
            .run_with_graceful_shutdown(endpoint, stopped, Some(DRAIN))
            .await
    });
    info!(address = %bound, database = %settings.database, "listening on http://{bound}");
    Ok(Server { address: bound, app, stop, serving, leading, following, counting, writer })
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

impl Server {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as clients write it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the process is asked to stop (interrupt or terminate), then stops.
    ///
    /// # Errors
    ///
    /// [`StopError`], see [`Self::stop`].
    pub async fn run_until_signal(mut self) -> Result<(), StopError> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StopError::Signals)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(StopError::Signals)?;
        tokio::select! {
            _ = interrupt.recv() => info!("interrupted, stopping"),
            _ = terminate.recv() => info!("asked to terminate, stopping"),
            served = &mut self.serving => {
                // Serving ends by itself only when it fails.
                let failed = served.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
                failed.map_err(StopError::Serve)?;
                return Ok(());
            }
        }
        self.stop().await
    }

    /// Stops: takes no new connections, lets requests end for at most 10 s, commits what waits,
    /// and closes the database.
    ///
    /// # Errors
    ///
    /// [`StopError`] if the network or the database failed; what was acknowledged is durable.
    pub async fn stop(self) -> Result<(), StopError> {
        self.app.is_stopping.store(true, Ordering::Relaxed);
        // If the receiver is gone, serving has ended already.
        let _ = self.stop.send(());
        self.leading.abort();
        self.following.abort();
        self.counting.abort();
        let served = self.serving.await;
        let store = self.app.store.clone();
        drop(self.app);
        // With the last entrance gone the writer commits what waits and ends. A request that is
        // cut off at the end of its time holds an entrance a moment longer.
        if tokio::time::timeout(DRAIN, self.writer).await.is_err() {
            warn!("the last commit did not end in time");
        }
        store.close_shared().await?;
        info!("stopped");
        served.unwrap_or_else(|panic| Err(std::io::Error::other(panic))).map_err(StopError::Serve)
    }
}
