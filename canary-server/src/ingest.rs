//! The one road in: every change is submitted here, and its sender hears the fate of it once it is
//! durable.
//!
//! A transport turns bytes into [`Work`] and calls [`Ingest::submit`]; it never sees the store.
//! One task takes what has gathered while the last commit ran, does it in order, and commits it
//! together: see `batch`.

mod apply;
mod batch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use canary_core::lineup::{ActionError, RegisterError, Request};
use canary_core::product::Product;
use canary_core::release::{Release, ReleaseId};
use canary_core::signal::Signal;
use canary_core::version::Version;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::live::{Directory, Live};
use crate::store::{Store, StoreError};

/// Most units that wait for a commit; a signal is one, every other work is one.
const MOST_WAITING: usize = 100_000;

/// Seconds after which a sender may try again when too much waits.
const RETRY_AFTER_S: u64 = 1;

/// A signal that was checked, of a release that is known.
pub(crate) struct NewSignal {
    pub(crate) live: Arc<Live>,
    pub(crate) signal: Signal,
    /// Whether the caller made the identifier, so that it may come twice.
    pub(crate) has_own_id: bool,
}

/// One element of a batch that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object)]
pub(crate) struct Rejected {
    /// Its place in the batch, counted from 0.
    pub(crate) index: u64,
    /// A stable word for the reason.
    pub(crate) code: String,
    /// The reason in words.
    pub(crate) detail: String,
}

/// Something that changes the state.
pub(crate) enum Work {
    /// Count signals; what was refused before is passed on to the receipt.
    Signals { signals: Vec<NewSignal>, rejected: Vec<Rejected> },
    /// Register a product.
    Product(Product),
    /// Register a release.
    Release { live: Arc<Live>, release: Box<Release> },
    /// Do what a person asks for.
    Act { live: Arc<Live>, release: ReleaseId, request: Request, reason: String },
    /// Do what time brought about.
    Tick(Vec<Arc<Live>>),
}

impl Work {
    fn units(&self) -> usize {
        match self {
            Self::Signals { signals, .. } => signals.len().max(1),
            Self::Product(_) | Self::Release { .. } | Self::Act { .. } => 1,
            // The engine must never be kept out.
            Self::Tick(_) => 0,
        }
    }
}

/// What makes a request safe to send twice.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyKey {
    /// Which request it is for, so that keys of different requests never meet.
    pub(crate) operation: &'static str,
    /// As the caller made it.
    pub(crate) key: String,
    /// A hash of everything that was asked for.
    pub(crate) fingerprint: u64,
}

/// What was done; stored with an idempotency key, and the answer is made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Receipt {
    /// Signals were counted.
    Signals {
        /// Identifiers, if there was only one.
        id: Option<String>,
        accepted: u64,
        duplicates: u64,
        rejected: Vec<Rejected>,
    },
    /// A product was registered.
    Product { id: String },
    /// A release was registered.
    Release { id: String },
    /// A person's wish was done, or already in force.
    Acted { id: String },
    /// Time was taken note of.
    Ticked,
}

/// Why a work was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum IngestError {
    #[error("name `{0}` is taken by another product")]
    NameTaken(String),
    #[error("artifact_url `{0}` is taken by another product")]
    ArtifactUrlTaken(String),
    #[error("version `{version}` of `{product}` is already registered")]
    VersionTaken { product: String, version: Version },
    #[error(transparent)]
    Register(#[from] RegisterError),
    #[error(transparent)]
    Action(#[from] ActionError),
    #[error("release `{0}` is unknown")]
    UnknownRelease(ReleaseId),
    #[error("idempotency key `{0}` was used for another request")]
    KeyReused(String),
    #[error("too much is waiting to be stored, try again in {retry_after_s} s")]
    QueueFull { retry_after_s: u64 },
    #[error("the server is stopping, try again in {retry_after_s} s")]
    Stopping { retry_after_s: u64 },
    #[error(transparent)]
    Store(Arc<StoreError>),
}

impl From<StoreError> for IngestError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

type Fate = Result<Receipt, IngestError>;

/// A work with the one who waits for it.
struct Submission {
    work: Work,
    key: Option<IdempotencyKey>,
    waiter: oneshot::Sender<Fate>,
    /// Its place in the queue, given back when its fate is known.
    _place: OwnedSemaphorePermit,
}

/// What was done since the start, for those who watch the server.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) commits: AtomicU64,
    pub(crate) signals: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) decisions: AtomicU64,
    pub(crate) failed_commits: AtomicU64,
}

impl Tally {
    pub(crate) fn add(counter: &AtomicU64, number: usize) {
        counter.fetch_add(number as u64, Ordering::Relaxed);
    }
}

/// The entrance; a clone leads to the same queue.
#[derive(Clone)]
pub(crate) struct Ingest {
    queue: mpsc::UnboundedSender<Submission>,
    places: Arc<Semaphore>,
    pub(crate) tally: Arc<Tally>,
}

impl Ingest {
    /// Starts the task that commits; it ends, after the last commit, when every entrance is gone.
    ///
    /// `changed` is told after every commit that changed a lineup.
    pub(crate) fn start(
        store: Arc<Store>,
        directory: Arc<Directory>,
        clock: Arc<dyn Clock>,
        changed: Arc<Notify>,
    ) -> (Self, JoinHandle<()>) {
        // The places bound the queue; the channel need not.
        let (queue, inbox) = mpsc::unbounded_channel();
        let tally = Arc::new(Tally::default());
        let wary = AtomicU32::new(0);
        let writer = batch::Writer { store, directory, clock, changed, tally: tally.clone(), wary };
        let task = tokio::spawn(writer.run(inbox));
        (Self { queue, places: Arc::new(Semaphore::new(MOST_WAITING)), tally }, task)
    }

    /// Does a work; returns once it is durable.
    ///
    /// # Errors
    ///
    /// [`IngestError`]; then nothing of it was done.
    pub(crate) async fn submit(&self, work: Work, key: Option<IdempotencyKey>) -> Fate {
        let units = u32::try_from(work.units()).unwrap_or(u32::MAX);
        let place = self
            .places
            .clone()
            .try_acquire_many_owned(units)
            .map_err(|_| IngestError::QueueFull { retry_after_s: RETRY_AFTER_S })?;
        let stopping = || IngestError::Stopping { retry_after_s: RETRY_AFTER_S };
        let (waiter, fate) = oneshot::channel();
        let submission = Submission { work, key, waiter, _place: place };
        self.queue.send(submission).map_err(|_| stopping())?;
        fate.await.map_err(|_| stopping())?
    }

    /// Units that wait for a commit.
    pub(crate) fn waiting(&self) -> usize {
        MOST_WAITING - self.places.available_permits()
    }
}
