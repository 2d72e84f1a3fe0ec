//! Access: who may do what, known in memory, and the same on every server within a second.
//!
//! | module | what it does |
//! | --- | --- |
//! | `scope` | what a key may do |
//! | `secret` | a key as its holder has it |
//! | `known` | the keys in force; whose key it is that a request has |
//! | `desk` | what the holder of an admin key does to the keys of an organization |
//!
//! What is stored is in [`Registry`]; [`Access`] has it in memory, as it was at one moment.

mod desk;
mod known;
mod scope;
mod secret;

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, Notify};

pub(crate) use self::desk::Desk;
pub(crate) use self::known::{Caller, Holder, Known, Refusal};
pub use self::scope::{Scope, ScopeError, Scopes};
pub use self::secret::Secret;
pub(crate) use self::secret::{Hash, hash_of, prefix_of};
use crate::key::{KeyId, KeyName, Rotation};
use crate::organization::OrganizationName;
use crate::store::{Registry, StoreError};

/// Who a request is from.
#[derive(Debug, Clone)]
pub(crate) enum Visitor {
    /// Anybody: it needs no key, or there is none.
    Anybody,
    /// The holder of a key.
    Holder(Caller),
}

/// Why organizations or keys were not changed or shown.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No organization has this name.
    #[error("organization `{0}` is unknown")]
    UnknownOrganization(OrganizationName),
    /// Another organization has this name.
    #[error("name `{0}` is taken by another organization")]
    OrganizationTaken(OrganizationName),
    /// No key of the organization has this identifier.
    #[error("no key has the id `{0}`")]
    UnknownKey(KeyId),
    /// Another key of the organization has this name.
    #[error("name `{0}` is taken by another key; rotate that one, or revoke it first")]
    KeyNameTaken(KeyName),
    /// A key that is revoked cannot be replaced.
    #[error("key `{0}` is revoked, make a new one")]
    Revoked(KeyId),
    /// A key whose time is over cannot be replaced.
    #[error("key `{0}` has expired, make a new one")]
    Expired(KeyId),
    /// A key that was replaced cannot be replaced again.
    #[error("key `{id}` was replaced by `{by}`, rotate that one")]
    Replaced {
        /// The key.
        id: KeyId,
        /// The one in its place.
        by: KeyId,
    },
    /// A key that would never open anything.
    #[error("expires_at lies in the past")]
    ExpiresInThePast,
    /// An old key that would be of use for too long.
    #[error("overlap is {given_s} s, at most {} s are accepted", Rotation::LONGEST_OVERLAP.as_secs())]
    OverlapTooLong {
        /// What was asked for.
        given_s: u64,
    },
    /// The first key, made over HTTP, has not the scope `admin`: nobody could make another one.
    #[error("the first key closes the server to all who have none, so it needs the scope `admin`")]
    FirstIsNoAdmin,
    /// A key was made meanwhile, and closed the door.
    #[error("a key was made at the same moment, and everybody needs one now")]
    NotTheFirst,
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Organizations and keys, as they are known to this server.
pub(crate) struct Access {
    registry: Registry,
    known: RwLock<Arc<Known>>,
    refreshing: Mutex<()>,
    /// Told when something has changed.
    pub(crate) changed: Notify,
}

impl Access {
    /// Reads what is stored.
    pub(crate) async fn load(registry: Registry) -> Result<Self, StoreError> {
        let known = RwLock::new(Arc::new(Known::of(registry.load().await?)));
        Ok(Self { registry, known, refreshing: Mutex::default(), changed: Notify::new() })
    }

    /// What is known, as it was at one moment.
    pub(crate) fn known(&self) -> Arc<Known> {
        // It is replaced whole, so it is whole whatever has panicked.
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads again what is stored, if it has changed.
    ///
    /// What was stored before this was called is known when it returns.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        // One after another, so that nobody puts what is older over what is newer.
        let _refreshing = self.refreshing.lock().await;
        if self.registry.revision().await? == self.known().revision {
            return Ok(());
        }
        let mut newer = Known::of(self.registry.load().await?);
        // A door that was closed once stays closed, even if all keys are lost.
        newer.has_keys |= self.known().has_keys;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newer);
        self.changed.notify_one();
        Ok(())
    }

    /// What is stored.
    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }
}
