//! Organizations: who has products, releases, signals and readings of their own, and sees nothing
//! of others.
//!
//! Each has tables of its own, in a schema (PostgreSQL) or a file (SQLite) of its own. `default` is
//! there from the start, for those who need no more.
//! The functions here work straight on the database, with or without servers that run on it: those
//! hear of a new organization within a second.
//!
//! ```no_run
//! use canary_server::clock::{Clock as _, System};
//! use canary_server::organization::{self, OrganizationName};
//! use canary_server::Settings;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::default();
//! let name = OrganizationName::parse("acme")?;
//! organization::create(&settings, &name, System.now()).await?;
//! for organization in organization::list(&settings).await? {
//!     println!("{}", organization.name);
//! }
//! # Ok(())
//! # }
//! ```

use std::fmt;

use canary_core::time::Timestamp;
use uuid::Uuid;

use crate::access::AccessError;
use crate::audit::Origin;
use crate::config::Settings;
use crate::store::{Place, Registry};

/// Most characters of a name.
const LONGEST: usize = 63;

/// The identifier of an organization, a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(Uuid);

impl OrganizationId {
    /// That of `default`, the same everywhere: the first of all that could be made.
    pub const DEFAULT: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));

    pub(crate) const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    pub(crate) const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

/// A text that cannot be the name of an organization.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "name `{0}` cannot be that of an organization, it needs 1 to 63 characters of a-z, 0-9 and -, and begins with a letter"
)]
pub struct OrganizationNameError(String);

/// The name of an organization: 1 to 63 characters of a-z, 0-9 and -, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationName(Box<str>);

impl OrganizationName {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`OrganizationNameError`] with the text.
    ///
    /// # Examples
    ///
    /// ```
    /// use canary_server::organization::OrganizationName;
    ///
    /// assert_eq!(OrganizationName::parse("acme-2")?.as_str(), "acme-2");
    /// assert!(OrganizationName::parse("Acme").is_err());
    /// # Ok::<(), canary_server::organization::OrganizationNameError>(())
    /// ```
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, OrganizationNameError> {
        let text = text.into();
        let is_fit = text.len() <= LONGEST
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_fit {
            return Ok(Self(text));
        }
        Err(OrganizationNameError(text.escape_debug().take(LONGEST + 1).collect()))
    }

    /// That of the organization which is there from the start.
    #[must_use]
    pub fn default_one() -> Self {
        Self("default".into())
    }

    /// That of the organization whose tables are in this schema of PostgreSQL: `default` for
    /// `public`, `acme` for `org_acme`. Nothing where it is no such schema, or where the name was
    /// too long for one.
    #[must_use]
    pub fn of_schema(schema: &str) -> Option<Self> {
        Place::organization_of(schema)
    }

    /// Whether it is that of the organization which is there from the start.
    #[must_use]
    pub fn is_default(&self) -> bool {
        &*self.0 == "default"
    }

    /// The text, to the letter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// Its name, which no other has.
    pub name: OrganizationName,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Makes an organization, with all its tables.
///
/// A database that is empty, or in a file, gets its schema first.
///
/// # Errors
///
/// [`AccessError::OrganizationTaken`] if there is one with this name, [`AccessError::Store`] if the
/// database cannot be used, or its schema is not that of this program.
pub async fn create(
    settings: &Settings,
    name: &OrganizationName,
    now: Timestamp,
) -> Result<Organization, AccessError> {
    let registry = Registry::open(settings).await?;
    let made = registry.create_organization(name, &Origin::command_line(), now).await;
    registry.close().await?;
    made
}

/// Every organization, in the order of their making; `default` is the first.
///
/// # Errors
///
/// [`AccessError::Store`] if the database cannot be used, or its schema is not that of this program.
pub async fn list(settings: &Settings) -> Result<Vec<Organization>, AccessError> {
    let registry = Registry::open(settings).await?;
    let organizations = registry.organizations().await;
    registry.close().await?;
    Ok(organizations?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_a_file_and_a_schema() {
        let longest = "a".repeat(63);
        for fit in ["a", "acme", "acme-2", "a--b", "a-", longest.as_str()] {
            assert_eq!(OrganizationName::parse(fit).unwrap().as_str(), fit);
        }
        let too_long = "a".repeat(64);
        let unfit = [
            "",
            "Acme",
            "2a",
            "-a",
            "a_b",
            "a.b",
            "a/b",
            "../a",
            "a b",
            "a\0",
            "ä",
            "a\n",
            "a'; DROP TABLE product; --",
            &too_long,
        ];
        for unfit in unfit {
            let error = OrganizationName::parse(unfit).unwrap_err().to_string();
            assert!(error.contains("1 to 63 characters") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_default_one_has_a_fixed_identifier() {
        assert_eq!(OrganizationId::DEFAULT.to_string(), "00000000-0000-7000-8000-000000000000");
        assert!(OrganizationName::default_one().is_default());
        assert!(OrganizationName::parse("default").unwrap().is_default());
    }
}
