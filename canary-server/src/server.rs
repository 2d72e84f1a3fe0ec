//! A server's life: start, serve, drain, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use poem::Server as HttpServer;
use poem::listener::{Acceptor, Listener as _, TcpAcceptor, TcpListener};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use crate::api;
use crate::clock::Clock;
use crate::config::Settings;
use crate::house::House;
use crate::lobby::Lobby;
use crate::organization::OrganizationName;
use crate::store::{Dialect, StoreError};

/// How long requests that are under way may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// How often a database that is not there is looked for, and how often that is told.
const LOOK: Duration = Duration::from_secs(1);
const TELL: Duration = Duration::from_secs(60);

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
    /// The tables of an organization cannot be used.
    #[error("cannot open the organization `{name}`: {cause}")]
    Organization {
        /// Its name.
        name: OrganizationName,
        /// What is wrong.
        cause: StoreError,
    },
    /// Whoever reaches the address could do everything.
    #[error(
        "there is no key, so everybody who reaches {address} could do everything: make a key with \
        `canary key create`, listen on 127.0.0.1, or set `insecure` (--insecure, \
        CANARY_INSECURE=true) if nobody else reaches it"
    )]
    Unprotected {
        /// Address and port.
        address: SocketAddr,
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
    /// What was found when the database was there at last.
    #[error(transparent)]
    Start(StartError),
}

/// A server that answers.
pub struct Server {
    address: SocketAddr,
    lobby: Arc<Lobby>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    /// Opens the house, if it is not, and follows what changes of it.
    keeping: JoinHandle<()>,
    failure: oneshot::Receiver<StartError>,
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
/// If a PostgreSQL cannot be reached for now, the server listens at once, says in `/health/ready`
/// that it waits, and does the rest when the database is there.
///
/// Without any key it answers to everybody, as the organization `default`, and only on a loopback
/// address, if the settings do not say otherwise.
///
/// # Errors
///
/// [`StartError`] if the database cannot be used, the address is taken, or everybody could do
/// everything.
pub async fn start(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Server, StartError> {
    let house = match House::open(settings, clock.clone()).await {
        Err(failed) if failed.may_mend(settings) => {
            warn!("{failed}; waiting for it");
            let (acceptor, address) = listen(settings).await?;
            let opening = Opening { settings: settings.clone(), clock, address };
            return Ok(serve(Arc::new(Lobby::new()), acceptor, opening));
        }
        opened => opened?,
    };
    let listening = async {
        let (acceptor, address) = listen(settings).await?;
        protect(settings, &house, address)?;
        Ok((acceptor, address))
    };
    match listening.await {
        Ok((acceptor, address)) => {
            let lobby = Lobby::new();
            lobby.open(house);
            let opening = Opening { settings: settings.clone(), clock, address };
            Ok(serve(Arc::new(lobby), acceptor, opening))
        }
        Err(failed) => {
            // The first cause is the one to be told.
            let _ = house.close().await;
            Err(failed)
        }
    }
}

impl StartError {
    /// Whether the same may go well later.
    fn may_mend(&self, settings: &Settings) -> bool {
        let (Self::Store { cause, .. } | Self::Organization { cause, .. }) = self else {
            return false;
        };
        Dialect::of(&settings.database) == Dialect::Postgres && cause.is_unavailable()
    }
}

async fn listen(settings: &Settings) -> Result<(TcpAcceptor, SocketAddr), StartError> {
    let address = format!("{}:{}", settings.host, settings.port);
    let failed = |cause| StartError::Listen { address: address.clone(), cause };
    let acceptor = TcpListener::bind(address.clone()).into_acceptor().await.map_err(failed)?;
    let bound = acceptor.local_addr().into_iter().find_map(|local| local.as_socket_addr().copied());
    let unknown = || failed(std::io::Error::other("the system does not tell the address"));
    Ok((acceptor, bound.ok_or_else(unknown)?))
}

/// Lets those in who may come, or nobody at all.
fn protect(settings: &Settings, house: &House, address: SocketAddr) -> Result<(), StartError> {
    let has_keys = house.access.known().has_keys;
    if address.ip().to_canonical().is_loopback() || settings.insecure {
        house.open_to_all();
        if !has_keys {
            warn!(%address, "there is no key: everybody who reaches {address} may do everything");
        }
    } else if !has_keys {
        return Err(StartError::Unprotected { address });
    }
    Ok(())
}

fn serve(lobby: Arc<Lobby>, acceptor: TcpAcceptor, opening: Opening) -> Server {
    let Opening { ref settings, address, .. } = opening;
    info!(%address, database = %settings.database, "listening on http://{address}");
    let (stop, stopped) = oneshot::channel();
    let endpoint = api::entrance(lobby.clone());
    let serving = tokio::spawn(async move {
        let stopped = async { _ = stopped.await };
        HttpServer::new_with_acceptor(acceptor)
            .run_with_graceful_shutdown(endpoint, stopped, Some(DRAIN))
            .await
    });
    let (fail, failure) = oneshot::channel();
    let keeping = tokio::spawn(keep(lobby.clone(), opening, fail));
    Server { address, lobby, stop, serving, keeping, failure }
}

/// What is needed to open the house later.
struct Opening {
    settings: Settings,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
}

/// Opens the house if it is not open, and follows what changes of it, for ever.
async fn keep(lobby: Arc<Lobby>, opening: Opening, fail: oneshot::Sender<StartError>) {
    let house = match lobby.house() {
        Some(house) => house.clone(),
        None => match opening.when_it_is_there().await {
            Ok(house) => {
                info!("the database is there");
                lobby.open(house.clone());
                house
            }
            Err(failed) => {
                lobby.give_up();
                error!("{failed}");
                // If nobody listens the server is stopping, and has nothing to say any more.
                let _ = fail.send(failed);
                return;
            }
        },
    };
    house.watch().await;
    drop(fail);
}

impl Opening {
    /// Looks for the database until it is there, and opens the house.
    async fn when_it_is_there(&self) -> Result<Arc<House>, StartError> {
        let Self { settings, clock, address } = self;
        let mut told = (String::new(), Instant::now());
        loop {
            tokio::time::sleep(LOOK).await;
            match House::open(settings, clock.clone()).await {
                Ok(house) => {
                    if let Err(failed) = protect(settings, &house, *address) {
                        // The first cause is the one to be told.
                        let _ = house.close().await;
                        return Err(failed);
                    }
                    return Ok(house);
                }
                Err(failed) if failed.may_mend(settings) => {
                    let failed = failed.to_string();
                    if told.0 != failed || told.1.elapsed() >= TELL {
                        warn!("{failed}; still waiting for it");
                        told = (failed, Instant::now());
                    }
                }
                Err(failed) => return Err(failed),
            }
        }
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
            Ok(failed) = &mut self.failure => {
                self.stop().await?;
                return Err(StopError::Start(failed));
            }
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
    pub async fn stop(mut self) -> Result<(), StopError> {
        self.lobby.begin_to_stop();
        // If the receiver is gone, serving has ended already.
        let _ = self.stop.send(());
        let served = self.serving.await;
        // Rooms may be opened until here: a request that is under way may be the first for one.
        self.keeping.abort();
        // Whether it was ended or has ended: no house is opened any more.
        let _ = self.keeping.await;
        if let Some(house) = self.lobby.house() {
            house.close().await?;
        }
        info!("stopped");
        if let Ok(failed) = self.failure.try_recv() {
            return Err(StopError::Start(failed));
        }
        served.unwrap_or_else(|panic| Err(std::io::Error::other(panic))).map_err(StopError::Serve)
    }
}
