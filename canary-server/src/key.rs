//! Keys: who may do what, in which organization.
//!
//! A key is shown once, when it is made; what is stored is its hash.
//! The functions here work straight on the database, which is how the first key is made. Servers
//! that run on it hear of every change within a second.
//!
//! ```no_run
//! use canary_server::clock::{Clock as _, System};
//! use canary_server::key::{self, KeyName, NewKey};
//! use canary_server::organization::OrganizationName;
//! use canary_server::{Scope, Scopes, Settings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (settings, organization) = (Settings::default(), OrganizationName::default_one());
//! let name = KeyName::parse("operator")?;
//! let new = NewKey { name, scopes: Scopes::of([Scope::Admin])?, expires_at: None };
//! let created = key::create(&settings, &organization, new, System.now()).await?;
//! println!("{}", created.secret.reveal());
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::Duration;

use canary_core::product::ProductName;
use canary_core::time::Timestamp;
use canary_core::value::ValueError;
use uuid::Uuid;

use crate::access::{AccessError, Scopes, Secret};
use crate::audit::Origin;
use crate::config::Settings;
use crate::organization::OrganizationName;
use crate::store::Registry;

/// The identifier of a key, a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Uuid);

impl KeyId {
    /// Reads the text of a UUID.
    ///
    /// # Errors
    ///
    /// [`ValueError::NotUuid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let not_uuid =
            |_| ValueError::NotUuid { what: "id", value: text.chars().take(64).collect() };
        Uuid::try_parse(text).map(Self).map_err(not_uuid)
    }

    pub(crate) const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    pub(crate) const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

/// What people call a key, 1 to 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Box<str>);

impl KeyName {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`ValueError`] with the limit.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, ValueError> {
        // The names of keys are as those of products, the errors too.
        ProductName::parse(text).map(|name| Self(name.as_str().into()))
    }

    /// The text, to the letter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A key as lists show it, without what opens doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its identifier.
    pub id: KeyId,
    /// What people call it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// The 8 characters after `canary_`, by which its holder knows it.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing; never if `None`.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that was put in its place.
    pub replaced_by: Option<KeyId>,
}

impl Key {
    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What people call it; no other key of the organization that is in force may have it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it opens nothing; never if `None`.
    pub expires_at: Option<Timestamp>,
}

/// A key that was made, with what its holder needs.
#[derive(Debug)]
pub struct CreatedKey {
    /// As lists show it.
    pub key: Key,
    /// The key itself, which nobody can tell later.
    pub secret: Secret,
}

/// How a key is replaced by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// For how long the old one opens what it did, at most [`Rotation::LONGEST_OVERLAP`].
    pub overlap: Duration,
    /// From when on the new one opens nothing; as long after its making as it was with the old one
    /// if `None`.
    pub expires_at: Option<Timestamp>,
}

impl Rotation {
    /// The longest that the old key may be of use: 30 days.
    pub const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

    pub(crate) fn check(&self, now: Timestamp) -> Result<(), AccessError> {
        if self.overlap > Self::LONGEST_OVERLAP {
            return Err(AccessError::OverlapTooLong { given_s: self.overlap.as_secs() });
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(AccessError::ExpiresInThePast);
        }
        Ok(())
    }
}

/// The old key is of use for a day.
impl Default for Rotation {
    fn default() -> Self {
        Self { overlap: Duration::from_secs(86_400), expires_at: None }
    }
}

/// Makes a key. As soon as the first one is made, of any organization, every server on the database
/// answers to nobody without one.
///
/// A database that is empty, or in a file, gets its schema first.
///
/// # Errors
///
/// [`AccessError`] if the organization is unknown, the name is taken, or the key would never open
/// anything.
pub async fn create(
    settings: &Settings,
    organization: &OrganizationName,
    new: NewKey,
    now: Timestamp,
) -> Result<CreatedKey, AccessError> {
    let registry = Registry::open(settings).await?;
    let created = async {
        let organization = registry.organization(organization).await?;
        registry.create_key(organization, new, false, &Origin::command_line(), now).await
    };
    let created = created.await;
    registry.close().await?;
    created
}

/// The keys of an organization, in the order of their making, those that are revoked too.
///
/// # Errors
///
/// [`AccessError`] if the organization is unknown.
pub async fn list(
    settings: &Settings,
    organization: &OrganizationName,
) -> Result<Vec<Key>, AccessError> {
    let registry = Registry::open(settings).await?;
    let keys = async {
        let organization = registry.organization(organization).await?;
        Ok(registry.keys(organization).await?)
    };
    let keys = keys.await;
    registry.close().await?;
    keys
}

/// Makes a key with the name and scopes of another, which expires a while later.
///
/// # Errors
///
/// [`AccessError`] if the key is unknown in this organization, or is not in force any more.
pub async fn rotate(
    settings: &Settings,
    organization: &OrganizationName,
    id: KeyId,
    rotation: Rotation,
    now: Timestamp,
) -> Result<CreatedKey, AccessError> {
    let registry = Registry::open(settings).await?;
    let created = async {
        let organization = registry.organization(organization).await?;
        registry.rotate_key(organization, id, rotation, &Origin::command_line(), now).await
    };
    let created = created.await;
    registry.close().await?;
    created
}

/// Revokes a key: from now on it opens nothing. One that is revoked already stays as it is.
///
/// # Errors
///
/// [`AccessError`] if the key is unknown in this organization.
pub async fn revoke(
    settings: &Settings,
    organization: &OrganizationName,
    id: KeyId,
    now: Timestamp,
) -> Result<(), AccessError> {
    let registry = Registry::open(settings).await?;
    let revoked = async {
        let organization = registry.organization(organization).await?;
        registry.revoke_key(organization, id, &Origin::command_line(), now).await
    };
    let revoked = revoked.await;
    registry.close().await?;
    revoked
}
