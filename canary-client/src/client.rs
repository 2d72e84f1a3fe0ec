//! The client itself: what can be asked, and how a question becomes a request.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::config::ClientBuilder;
use crate::error::{Error, Result};
use crate::retry::wait_before_repeating;
use crate::transport::{Answer, Body, Request, Transport};
use crate::types::decision::Decision;
use crate::types::problem;
use crate::types::product::{NewProduct, Product, ProductFilter};
use crate::types::release::{Latest, NewRelease, Release};
use crate::types::signal::{BatchOutcome, Signal};

mod audit;
mod batch;
mod judging;
mod listing;
mod reading;
mod target;

pub use audit::AuditPages;
pub use listing::Listing;
use target::Target;

/// Asks a Canary server and reports to it.
///
/// # Threads and cloning
///
/// A clone is a counted reference: clones share settings and a pool of connections, and may be
/// used from many threads at once. A connection belongs to one call while that call runs; the pool
/// is locked only to take a connection out and to put it back, never while waiting for the server.
/// Nothing else is shared: there is no cache, and no call waits for another.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    retries: u32,
    transport: Arc<dyn Transport>,
}

/// `{id}`, what is answered to something new.
#[derive(Deserialize)]
struct Created {
    id: String,
}

/// `{reason}`, what is said with an order.
#[derive(Serialize)]
struct Order<'a> {
    reason: &'a str,
}

impl Client {
    /// A client of the server at `url`, without a token and with the default timeouts.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`], see [`ClientBuilder::build`].
    pub fn new(url: impl Into<String>) -> Result<Self> {
        Self::builder().url(url).build()
    }

    /// Sets more than the address.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client as the environment says, see [`ClientBuilder::from_environment`].
    ///
    /// # Errors
    ///
    /// [`Error::Setting`], see [`ClientBuilder::build`].
    pub fn from_environment() -> Result<Self> {
        ClientBuilder::from_environment().build()
    }

    pub(crate) fn over(url: String, retries: u32, transport: Arc<dyn Transport>) -> Self {
        Self { shared: Arc::new(Shared { url, retries, transport }) }
    }

    /// The address of the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }
}

/// # Which version to run
///
/// A product is named by its name, its id or its artifact URL.
/// Every call may give the errors of the way: [`Error::Unreachable`], [`Error::TimedOut`],
/// [`Error::Busy`], [`Error::Unauthorized`], [`Error::Forbidden`], [`Error::Server`] and
/// [`Error::BadAnswer`].
impl Client {
    /// The version that the next run should use: the canary's part of the runs stays at the share
    /// of its band, the other runs get the stable version.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the product is not known or has no active release.
    pub fn latest_stable_version(&self, product: &str) -> Result<String> {
        self.latest(product, None).map(|latest| latest.semver_version)
    }

    /// The version to run, with the reason. The same `instance` keeps its canary while the canary
    /// widens; without an instance, each call is a run of its own.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the product is not known or has no active release.
    pub fn latest(&self, product: &str, instance: Option<&str>) -> Result<Latest> {
        self.get(&latest_of(product)?.query("instance_id", instance))
    }

    /// The version for one run; asking again for the same `run_id` gives the same answer.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the product is not known or has no active release.
    pub fn latest_for_run(&self, product: &str, run_id: &str) -> Result<Latest> {
        self.get(&latest_of(product)?.query("run_id", Some(run_id)))
    }
}

/// # How it went
impl Client {
    /// Reports the outcome of one run, and gives the id under which it is recorded. When this
    /// returns, the signal is on the server's disk.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if product or version are not known, [`Error::Invalid`] if a value is
    /// not acceptable. After [`Error::TimedOut`] and [`Error::Unreachable`] it is unknown whether
    /// the signal was recorded: a signal with an id of the caller's can be sent again.
    pub fn send_signal(&self, signal: &Signal) -> Result<String> {
        if let Err(field) = signal.check() {
            return Err(batch::refused(field));
        }
        // The signal's own id makes repeating safe; a key would only cost the server a row more.
        let body = Body::json(&signal.clone().with_id(), None);
        let created: Created = self.post_body(&Target::of(&["signal"])?, body)?;
        Ok(created.id)
    }

    /// Reports many runs, in requests of at most 10 000 signals, compressed. At most one request
    /// is held in memory, and what was rejected; `signals` may be without end.
    ///
    /// A signal that is not acceptable does not keep the others from being recorded; it is in
    /// [`BatchOutcome::rejected`].
    ///
    /// # Errors
    ///
    /// When a request does not get through, sending stops there; the requests before it are
    /// recorded. Signals with ids of the caller's can all be sent again: those are then counted
    /// among [`BatchOutcome::duplicates`].
    pub fn send_signals(&self, signals: impl IntoIterator<Item = Signal>) -> Result<BatchOutcome> {
        batch::send(self, &Target::of(&["signal", "batch"])?, signals.into_iter())
    }
}

/// # Products and releases
impl Client {
    /// Registers a product.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if the name or the artifact URL is taken, [`Error::Invalid`] if a value
    /// is not acceptable.
    pub fn create_product(&self, product: &NewProduct) -> Result<Product> {
        self.post(&Target::of(&["product"])?, product)
    }

    /// One product by its id.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Invalid`] if the id is no UUID.
    pub fn product(&self, id: &str) -> Result<Product> {
        self.get(&Target::of(&["product", id])?)
    }

    /// The products that fit, one after another; further pages are fetched as they are needed.
    pub fn products(&self, filter: &ProductFilter) -> Listing<Product> {
        let target = Target("/product".to_owned())
            .query("name", filter.name.as_deref())
            .query("artifact_url", filter.artifact_url.as_deref());
        Listing::new(self.clone(), Ok(target))
    }

    /// Registers a release and gives its id.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if no product has this artifact URL, [`Error::Conflict`] if the version
    /// is registered already or a running canary refuses a newer one, [`Error::Invalid`] if a
    /// value is not acceptable.
    pub fn create_release(&self, release: &NewRelease) -> Result<String> {
        let created: Created = self.post(&Target::of(&["release"])?, release)?;
        Ok(created.id)
    }

    /// One release by its id, where it stands, and what its runs showed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Invalid`] if the id is no UUID.
    pub fn release(&self, id: &str) -> Result<Release> {
        self.get(&Target::of(&["release", id])?)
    }

    /// The releases of a product, the newest first; further pages are fetched as they are needed.
    pub fn releases(&self, product: &str) -> Listing<Release> {
        let target = Target("/release".to_owned()).query("product", Some(product));
        Listing::new(self.clone(), Ok(target))
    }

    /// The releases of all products, the newest first; further pages are fetched as they are needed.
    pub fn all_releases(&self) -> Listing<Release> {
        Listing::new(self.clone(), Ok(Target("/release".to_owned())))
    }

    /// All that was decided about a release, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such release.
    pub fn decisions(&self, id: &str) -> Result<Vec<Decision>> {
        self.get(&Target::of(&["release", id, "decisions"])?)
    }

    /// Makes a canary the version that everybody gets.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if that makes no sense in its state, [`Error::NotFound`] if there is no
    /// such release.
    pub fn promote(&self, id: &str, reason: &str) -> Result<Release> {
        self.order(id, "promote", reason)
    }

    /// Takes a canary back: nobody gets it any more.
    ///
    /// # Errors
    ///
    /// As [`promote`](Self::promote).
    pub fn rollback(&self, id: &str, reason: &str) -> Result<Release> {
        self.order(id, "rollback", reason)
    }

    /// Stops handing a canary out until it is resumed.
    ///
    /// # Errors
    ///
    /// As [`promote`](Self::promote).
    pub fn pause(&self, id: &str, reason: &str) -> Result<Release> {
        self.order(id, "pause", reason)
    }

    /// Hands a paused canary out again.
    ///
    /// # Errors
    ///
    /// As [`promote`](Self::promote).
    pub fn resume(&self, id: &str, reason: &str) -> Result<Release> {
        self.order(id, "resume", reason)
    }

    fn order(&self, id: &str, action: &str, reason: &str) -> Result<Release> {
        self.post(&Target::of(&["release", id, action])?, &Order { reason })
    }
}

/// # The server itself
impl Client {
    /// The version of the server.
    ///
    /// # Errors
    ///
    /// Only those of the way.
    pub fn version(&self) -> Result<String> {
        let target = Target::of(&["version"])?;
        match self.get(&target)? {
            Value::String(version) => Ok(version),
            answer => match answer.get("version").and_then(Value::as_str) {
                Some(version) => Ok(version.to_owned()),
                None => Err(self.bad_answer("no `version` in it")),
            },
        }
    }

    /// Whether the server can take signals now. It is asked once: a server that says no is an
    /// answer.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] and [`Error::TimedOut`] if there is no server to say so.
    pub fn is_ready(&self) -> Result<bool> {
        let request = Request::get(Target::of(&["health", "ready"])?.0);
        let answer = self.shared.transport.send(&request)?;
        match answer.status {
            200..=299 => Ok(true),
            503 => Ok(false),
            _ => Err(problem::read(&self.shared.url, &answer)),
        }
    }
}

impl Client {
    fn get<T: DeserializeOwned>(&self, target: &Target) -> Result<T> {
        self.read(&self.ask(&Request::get(target.0.as_str()))?)
    }

    fn post<T: DeserializeOwned>(&self, target: &Target, value: &impl Serialize) -> Result<T> {
        self.post_body(target, Body::json(value, Some(batch::new_key())))
    }

    fn post_body<T: DeserializeOwned>(&self, target: &Target, body: Body) -> Result<T> {
        self.read(&self.ask(&Request::post(target.0.as_str(), body))?)
    }

    /// Sends a request as often as it takes, and gives a good answer.
    fn ask(&self, request: &Request) -> Result<Answer> {
        let Shared { url, retries, transport } = &*self.shared;
        let mut attempt = 0;
        loop {
            let error = match transport.send(request) {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(answer),
                Ok(answer) => problem::read(url, &answer),
                Err(error) => error,
            };
            match wait_before_repeating(&error, attempt, chance()) {
                Some(delay) if attempt < *retries => transport.pause(delay),
                _ => return Err(error),
            }
            attempt += 1;
        }
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T> {
        serde_json::from_slice(&answer.bytes).map_err(|error| self.bad_answer(&error.to_string()))
    }

    fn bad_answer(&self, reason: &str) -> Error {
        Error::BadAnswer { url: self.shared.url.clone(), reason: reason.to_owned() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("url", &self.shared.url).finish_non_exhaustive()
    }
}

/// A number from 0 to 1 that differs from call to call and from process to process.
fn chance() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

fn latest_of(product: &str) -> Result<Target> {
    Target::of(&["release", product, "latest"])
}

#[cfg(test)]
mod tests;
