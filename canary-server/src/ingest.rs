//! The one road in: every change is submitted here, and its sender hears the fate of it once it is
//! durable.
//!
//! A transport turns bytes into [`Work`] and calls [`Ingest::submit`]; it never sees the store.
//! One task takes what has gathered while the last commit ran, does it in order, and commits it
//! together: see `batch`.

mod apply;
mod batch;
mod contention;
mod inbox;
mod patience;
mod readings;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use canary_core::judge::rules::Before;
use canary_core::lineup::{ActionError, RegisterError, Request};
use canary_core::policy::Settings;
use canary_core::product::Product;
use canary_core::reading::ReadingType;
use canary_core::release::{Release, ReleaseId};
use canary_core::rollout::Unreported;
use canary_core::signal::Signal;
use canary_core::version::Version;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::audit::Origin;
use crate::buffers::Buffer;
use crate::clock::Clock;
use crate::identify::Identifiers;
use crate::live::{Directory, Live};
use crate::readings::{Point, Readings, Step};
use crate::store::{Store, StoreError};

/// Most units that wait for a commit; a signal is one, so are ten readings and every other work.
const MOST_WAITING: usize = 100_000;

/// Bytes of blocks that wait to be folded at which no more readings are taken in: they are in
/// memory.
const MOST_UNFOLDED: u64 = 256 << 20;

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

/// Something that changes the state; with its origin where somebody asks for it, for the audit.
pub(crate) enum Work {
    /// Count signals; what was refused before is passed on to the receipt.
    Signals { signals: Vec<NewSignal>, rejected: Vec<Rejected> },
    /// Register a product.
    Product { product: Product, origin: Box<Origin> },
    /// Register a release.
    /// With what the stable version has measured, where its policy judges that.
    Release { live: Arc<Live>, release: Box<Release>, before: Box<Before>, origin: Box<Origin> },
    /// Set what releases of a product are judged by where they say nothing.
    Policy { live: Arc<Live>, settings: Box<Settings>, origin: Box<Origin> },
    /// Do what a person asks for.
    Act {
        live: Arc<Live>,
        release: ReleaseId,
        request: Request,
        reason: String,
        origin: Box<Origin>,
    },
    /// Do what time brought about.
    Tick(Vec<Arc<Live>>),
    /// Count answers that were not reported in time.
    Unreported { live: Arc<Live>, overdue: Unreported },
    /// Take readings in; what was refused before is passed on to the receipt.
    Readings { points: Buffer<Point>, rejected: Vec<Rejected> },
    /// Declare a type of readings.
    DeclareType { kind: ReadingType, origin: Box<Origin> },
    /// Do one step of folding.
    Fold(Arc<Step>),
}

impl Work {
    /// How many readings it takes in.
    fn readings(&self) -> usize {
        match self {
            Self::Readings { points, .. } => points.len(),
            _ => 0,
        }
    }

    /// Whether it changes readings.
    const fn changes_readings(&self) -> bool {
        matches!(self, Self::Readings { .. } | Self::DeclareType { .. } | Self::Fold(_))
    }

    fn units(&self) -> usize {
        match self {
            Self::Signals { signals, .. } => signals.len().max(1),
            // Ten of them cost less than one signal.
            Self::Readings { points, .. } => points.len().div_ceil(10).max(1),
            Self::Product { .. }
            | Self::Release { .. }
            | Self::Policy { .. }
            | Self::Act { .. }
            | Self::DeclareType { .. } => 1,
            // The engine must never be kept out.
            Self::Tick(_) | Self::Unreported { .. } | Self::Fold(_) => 0,
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
    /// The policy of a product was set.
    PolicySet,
    /// A person's wish was done, or already in force.
    Acted { id: String },
    /// Time was taken note of.
    Ticked,
    /// Readings are durable.
    Readings { accepted: u64, rejected: Vec<Rejected> },
    /// A type of readings is declared.
    TypeDeclared,
    /// A step of folding is done.
    Folded,
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
    #[error("type `{}` has readings, {}; declare another type", .0.name, values(.0))]
    TypeHasReadings(ReadingType),
    #[error("the type was declared anew at the same moment, try again")]
    TypeChanged,
    #[error("there are 65 535 types of readings, which is the limit")]
    TooManyTypes,
    #[error("another process has folded meanwhile")]
    FoldedElsewhere,
    #[error("readings come faster than they are folded, try again in {retry_after_s} s")]
    BacklogFull { retry_after_s: u64 },
    #[error("too much is waiting to be stored, try again in {retry_after_s} s")]
    QueueFull { retry_after_s: u64 },
    #[error("the server is stopping, try again in {retry_after_s} s")]
    Stopping { retry_after_s: u64 },
    #[error(transparent)]
    Store(Arc<StoreError>),
}

/// Which values a type has, for a person.
fn values(of: &ReadingType) -> String {
    let noun = if of.is_integer() { "whole numbers" } else { "numbers" };
    format!("{noun} from {} to {}", of.minimum(), of.maximum())
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
    pub(crate) readings: AtomicU64,
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
    readings: Arc<Readings>,
    pub(crate) tally: Arc<Tally>,
}

impl Ingest {
    /// Starts the task that commits; it ends, after the last commit, when every entrance is gone.
    ///
    /// `changed` is told after every commit that changed a lineup.
    pub(crate) fn start(
        store: Arc<Store>,
        directory: Arc<Directory>,
        readings: Arc<Readings>,
        clock: Arc<dyn Clock>,
        changed: Arc<Notify>,
    ) -> (Self, JoinHandle<()>) {
        // The places bound the queue; the channel need not.
        let (queue, inbox) = mpsc::unbounded_channel();
        let tally = Arc::new(Tally::default());
        let wary = AtomicU32::new(0);
        let tallied = tally.clone();
        let own = readings.clone();
        let identifiers = Arc::new(Identifiers::new());
        let patience = patience::Patience::default();
        let contention = contention::Contention::default();
        let writer = batch::Writer {
            store,
            directory,
            readings,
            clock,
            changed,
            tally: tallied,
            wary,
            identifiers,
            contention,
            patience,
        };
        let task = tokio::spawn(writer.run(inbox));
        let places = Arc::new(Semaphore::new(MOST_WAITING));
        (Self { queue, places, readings: own, tally }, task)
    }

    /// Does a work; returns once it is durable.
    ///
    /// # Errors
    ///
    /// [`IngestError`]; then nothing of it was done.
    pub(crate) async fn submit(&self, work: Work, key: Option<IdempotencyKey>) -> Fate {
        if matches!(work, Work::Readings { .. })
            && self.readings.unfolded.backlog().bytes >= MOST_UNFOLDED
        {
            return Err(IngestError::BacklogFull { retry_after_s: RETRY_AFTER_S });
        }
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
