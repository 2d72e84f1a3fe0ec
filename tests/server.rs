//! A server in this process.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use canary_core::time::Timestamp;
use canary_server::clock::{Clock, Manual, Sleep};
use canary_server::key::{self, KeyName, NewKey};
use canary_server::organization::{self, OrganizationName};
use canary_server::{Roles, Scopes, Settings};
use serde_json::json;
use tokio::sync::oneshot;

use crate::{Http, Product, SharedDatabase, block_on, eventually};

/// 2023-01-01T10:30:00Z: where the clock of every server stands at first.
const START: Timestamp = Timestamp::from_seconds(1_672_569_000);

/// A server on a free port, with a database and a clock of its own; it stops when it is dropped.
pub struct TestServer {
    http: Http,
    clock: Manual,
    wakes: bool,
    retention_days: Option<u16>,
    roles: Roles,
    database: SharedDatabase,
    running: Mutex<Option<Running>>,
}

/// The thread that a server runs in.
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// A clock that nobody is woken by: with it the engine comes late, and the next signal does what
/// is due.
struct Unwatched(Manual);

impl Clock for Unwatched {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep_until(&self, _moment: Timestamp) -> Sleep<'_> {
        Box::pin(std::future::pending())
    }
}

impl TestServer {
    /// Starts a server on an empty database.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(true, None, SharedDatabase::new())
    }

    /// Starts a server on a database.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn on(database: SharedDatabase) -> Self {
        Self::with(true, None, database)
    }

    /// Starts a server whose engine does not wake when the clock moves, as if it were late: what is
    /// due is done by the next signal.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn with_late_engine() -> Self {
        Self::with(false, None, SharedDatabase::new())
    }

    /// Starts a server that keeps readings for so many days.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn keeping_readings(days: u16) -> Self {
        Self::with(true, Some(days), SharedDatabase::new())
    }

    /// Starts a server on a database that is given, and need not be there.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn waiting_for(database: SharedDatabase) -> Self {
        Self::unready(true, None, database)
    }

    fn with(wakes: bool, retention_days: Option<u16>, database: SharedDatabase) -> Self {
        let server = Self::unready(wakes, retention_days, database);
        server.until_ready();
        server
    }

    fn unready(wakes: bool, retention_days: Option<u16>, database: SharedDatabase) -> Self {
        let clock = Manual::at(START);
        let http = Http::to("");
        let running = Mutex::new(None);
        let roles = Roles::ALL;
        let server = Self { http, clock, wakes, retention_days, roles, database, running };
        server.run();
        server
    }

    /// Starts another server on the same database, with the same clock.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn beside(&self) -> Self {
        self.beside_as("all")
    }

    /// Starts another server on the same database, with the same clock, which does a part of the
    /// work.
    ///
    /// # Panics
    ///
    /// If there is no such role, or it does not start.
    #[must_use]
    pub fn beside_as(&self, roles: &str) -> Self {
        let Self { clock, wakes, retention_days, database, .. } = self;
        let server = Self {
            http: Http::to(""),
            clock: clock.clone(),
            wakes: *wakes,
            retention_days: *retention_days,
            roles: roles.parse().expect("roles"),
            database: database.clone(),
            running: Mutex::new(None),
        };
        server.run();
        server.until_ready();
        server
    }

    /// The time of the server, to be moved.
    #[must_use]
    pub const fn clock(&self) -> &Manual {
        &self.clock
    }

    /// Moves the clock forward, in days.
    pub fn pass_days(&self, days: f64) {
        self.clock.advance(Duration::from_secs_f64(days * 86_400.0));
    }

    /// Moves the clock forward, in seconds.
    pub fn pass_seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Looks until there is something to see that the engine brings about when it looks for answers
    /// that were not reported: every 5 s of the clock, while a canary is open.
    ///
    /// # Panics
    ///
    /// If nothing is seen within 10 s; `what` says what was waited for.
    pub fn until_the_engine_has_looked<T>(
        &self,
        what: &str,
        mut look: impl FnMut() -> Option<T>,
    ) -> T {
        let mut looks = 0;
        eventually(what, || {
            looks += 1;
            // It may have looked just before the clock was moved, and sleep for 5 s from then on.
            if looks % 100 == 0 {
                self.pass_seconds(5);
            }
            look()
        })
    }

    /// Moves the clock forward until no readings wait to be folded, late ones included.
    ///
    /// # Panics
    ///
    /// If folding stands still for 10 s.
    pub fn fold_readings(&self) {
        let mut waiting = self.http.unfolded();
        while waiting > 0 {
            waiting = eventually("that fewer readings wait to be folded", || {
                // Ten minutes are the longest that readings wait, and late ones a few hours.
                self.clock.advance(Duration::from_secs(660));
                Some(self.http.unfolded()).filter(|now| *now < waiting)
            });
        }
    }

    /// Stops the server and starts it again on the same database, at another address.
    ///
    /// # Panics
    ///
    /// If it does not stop or start.
    pub fn restart(&self) {
        self.stop();
        self.run();
        self.until_ready();
    }

    /// Stops the server, and starts it on another database after something was done; every way to
    /// it leads there.
    ///
    /// # Panics
    ///
    /// If it does not stop or start.
    pub fn move_to(&mut self, database: SharedDatabase, while_stopped: impl FnOnce()) {
        self.stop();
        while_stopped();
        self.database = database;
        self.run();
        self.until_ready();
    }

    /// Registers a product with this name.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub fn product(&self, name: &str) -> Product {
        Product::register(&self.http, name)
    }

    /// Registers a product with the stable release 1; gives it with the release's identifier.
    ///
    /// # Panics
    ///
    /// If one of them is refused.
    #[must_use]
    pub fn product_with_stable(&self) -> (Product, String) {
        let product = self.product("etl");
        let release = product.release("1").with("is_canary", json!(false)).create();
        (product, release)
    }

    /// Registers a product with the stable release 0.0.1 and the canary 0.0.2; gives it with the
    /// canary's identifier.
    ///
    /// # Panics
    ///
    /// If one of them is refused.
    #[must_use]
    pub fn product_with_canary(&self) -> (Product, String) {
        let product = self.product("etl");
        product.release("0.0.1").with("is_canary", json!(false)).create();
        let canary = product.release("0.0.2").create();
        (product, canary)
    }

    /// What it was started with.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let database = self.database.url();
        let readings_retention_days = self.retention_days;
        let roles = self.roles;
        Settings { port: 0, database, readings_retention_days, roles, ..Settings::default() }
    }

    /// Makes an organization, straight on the database.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub fn organization(&self, name: &str) {
        let (settings, name) = (self.settings(), OrganizationName::parse(name).expect("a name"));
        let made = organization::create(&settings, &name, self.clock.now());
        block_on(made).expect("an organization");
    }

    /// Makes a key, straight on the database, and waits until the server knows it; a way to the
    /// server with it.
    ///
    /// # Panics
    ///
    /// If it is refused, or not known within 10 s.
    #[must_use]
    pub fn key(&self, organization: &str, scopes: &[&str]) -> Http {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("key {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let new = NewKey {
            name: KeyName::parse(name).expect("a name"),
            scopes: Scopes::parse(scopes.iter().copied()).expect("scopes"),
            expires_at: None,
        };
        let organization = OrganizationName::parse(organization).expect("a name");
        let settings = self.settings();
        let created = key::create(&settings, &organization, new, self.clock.now());
        let created = block_on(created).expect("a key");
        let http = self.http.with_key(created.secret.reveal());
        eventually("that the server knows the key", || {
            let is_closed = self.http.get("/metrics").status == 401;
            (is_closed && http.get("/metrics").status != 401).then_some(())
        });
        http
    }

    /// Why a server with these settings does not start; nothing if it does.
    #[must_use]
    pub fn refusal(settings: &Settings) -> Option<String> {
        let clock: Arc<dyn Clock> = Arc::new(Manual::at(START));
        block_on(async {
            match canary_server::start(settings, clock).await {
                Ok(server) => {
                    server.stop().await.expect("the server stops");
                    None
                }
                Err(refused) => Some(refused.to_string()),
            }
        })
    }

    /// Waits until it has its database: a machine that is too busy to let it in at once is not what
    /// is tested.
    fn until_ready(&self) {
        eventually("a server that is ready", || {
            (self.http.get("/health/ready").status == 200).then_some(())
        });
    }

    fn run(&self) {
        let settings = self.settings();
        let clock: Arc<dyn Clock> = if self.wakes {
            Arc::new(self.clock.clone())
        } else {
            Arc::new(Unwatched(self.clock.clone()))
        };
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || serve(&settings, clock, &tell, stopped));
        self.http.lead_to(told.recv().expect("the server starts"));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Running { stop, thread });
    }

    fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, thread }) = running else { return };
        // If nobody listens it has failed, which its thread tells.
        let _ = stop.send(());
        let ended = thread.join();
        // A second panic would hide the first.
        if !std::thread::panicking() {
            ended.expect("the server stops");
        }
    }
}

fn serve(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    tell: &mpsc::Sender<String>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = canary_server::start(settings, clock).await.expect("the server starts");
        tell.send(server.url()).expect("somebody waits for the address");
        // A sender that is gone is a reason to stop as well.
        let _ = stopped.await;
        server.stop().await.expect("the server stops");
    });
}

impl Deref for TestServer {
    type Target = Http;

    fn deref(&self) -> &Http {
        &self.http
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}
