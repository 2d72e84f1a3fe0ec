//! A server's life: start, serve, drain, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Server as HttpServer;
use poem::listener::{Acceptor, Listener as _, TcpAcceptor, TcpListener};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::api;
use crate::clock::Clock;
use crate::config::Settings;
use crate::house::House;
use crate::organization::OrganizationName;
use crate::store::StoreError;

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
}

/// A server that answers.
pub struct Server {
    address: SocketAddr,
    house: Arc<House>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    watching: JoinHandle<()>,
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
/// Without any key it answers to everybody, as the organization `default`, and only on a loopback
/// address, if the settings do not say otherwise.
///
/// # Errors
///
/// [`StartError`] if the database cannot be used, the address is taken, or everybody could do
/// everything.
pub async fn start(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Server, StartError> {
    let house = House::open(settings, clock).await?;
    match listen(settings, &house).await {
        Ok((acceptor, address)) => Ok(serve(settings, house, acceptor, address)),
        Err(failed) => {
            // The first cause is the one to be told.
            let _ = house.close().await;
            Err(failed)
        }
    }
}

/// Listens, if those may be let in who will come.
async fn listen(
    settings: &Settings,
    house: &House,
) -> Result<(TcpAcceptor, SocketAddr), StartError> {
    let address = format!("{}:{}", settings.host, settings.port);
    let failed = |cause| StartError::Listen { address: address.clone(), cause };
    let acceptor = TcpListener::bind(address.clone()).into_acceptor().await.map_err(failed)?;
    let bound = acceptor.local_addr().into_iter().find_map(|local| local.as_socket_addr().copied());
    let unknown = || failed(std::io::Error::other("the system does not tell the address"));
    let bound = bound.ok_or_else(unknown)?;
    let has_keys = house.access.known().has_keys;
    if bound.ip().to_canonical().is_loopback() || settings.insecure {
        house.open_to_all();
        if !has_keys {
            warn!(address = %bound, "there is no key: everybody who reaches {bound} may do everything");
        }
    } else if !has_keys {
        return Err(StartError::Unprotected { address: bound });
    }
    Ok((acceptor, bound))
}

fn serve(
    settings: &Settings,
    house: Arc<House>,
    acceptor: TcpAcceptor,
    address: SocketAddr,
) -> Server {
    let (stop, stopped) = oneshot::channel();
    let endpoint = api::entrance(house.clone());
    let serving = tokio::spawn(async move {
        let stopped = async { _ = stopped.await };
        HttpServer::new_with_acceptor(acceptor)
            .run_with_graceful_shutdown(endpoint, stopped, Some(DRAIN))
            .await
    });
    let watching = tokio::spawn(house.clone().watch());
    info!(%address, database = %settings.database, "listening on http://{address}");
    Server { address, house, stop, serving, watching }
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
        self.house.begin_to_stop();
        // If the receiver is gone, serving has ended already.
        let _ = self.stop.send(());
        let served = self.serving.await;
        // Rooms may be opened until here: a request that is under way may be the first for one.
        self.watching.abort();
        self.house.close().await?;
        info!("stopped");
        served.unwrap_or_else(|panic| Err(std::io::Error::other(panic))).map_err(StopError::Serve)
    }
}
