//! The audit: who did what, when, from where, and what it changed.
//!
//! Every change that somebody asked for leaves one entry, in the transaction of the change: either
//! both are durable, or neither is. What the engine decides by itself is in the timelines of
//! releases; signals and readings are observations, and leave nothing here.
//!
//! What is done to products, releases and types of readings is noted among the tables of their
//! organization, what is done to keys and organizations beside these. [`page`] unites both.

mod entries;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use canary_core::lineup::Request;
use canary_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use serde_json::Value;

pub(crate) use self::entries::{Filter, Position, page};
use crate::access::Holder;

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    CreateProduct,
    SetPolicy,
    CreateRelease,
    Promote,
    RollBack,
    Pause,
    Resume,
    DeclareReadingType,
    CreateKey,
    RotateKey,
    RevokeKey,
    CreateOrganization,
}

impl Action {
    /// Every action.
    pub(crate) const ALL: [Self; 12] = [
        Self::CreateProduct,
        Self::SetPolicy,
        Self::CreateRelease,
        Self::Promote,
        Self::RollBack,
        Self::Pause,
        Self::Resume,
        Self::DeclareReadingType,
        Self::CreateKey,
        Self::RotateKey,
        Self::RevokeKey,
        Self::CreateOrganization,
    ];

    /// Its stable word: the kind of thing that it is done to, and what is done.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CreateProduct => "product.create",
            Self::SetPolicy => "product.policy",
            Self::CreateRelease => "release.create",
            Self::Promote => "release.promote",
            Self::RollBack => "release.rollback",
            Self::Pause => "release.pause",
            Self::Resume => "release.resume",
            Self::DeclareReadingType => "reading_type.declare",
            Self::CreateKey => "key.create",
            Self::RotateKey => "key.rotate",
            Self::RevokeKey => "key.revoke",
            Self::CreateOrganization => "organization.create",
        }
    }

    /// Reads its word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl From<Request> for Action {
    fn from(request: Request) -> Self {
        match request {
            Request::Promote => Self::Promote,
            Request::Rollback => Self::RollBack,
            Request::Pause => Self::Pause,
            Request::Resume => Self::Resume,
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Nobody in particular: there was no key, and everybody could.
    Anybody,
    /// The holder of a key, as it was called then.
    Holder(Arc<Holder>),
    /// Somebody beside the database, by the name that the operating system has for them.
    CommandLine { user: Option<String> },
}

/// For the log.
impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => formatter.write_str("somebody without a key"),
            Self::Holder(holder) => write!(formatter, "key {}", holder.key),
            Self::CommandLine { user: Some(user) } => write!(formatter, "{user}"),
            Self::CommandLine { user: None } => formatter.write_str("the command line"),
        }
    }
}

/// Who asked for a change, from where, and in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) actor: Actor,
    /// The other end of the connection: that of the last proxy, if there is one.
    pub(crate) remote_address: Option<IpAddr>,
    /// As the log and the answer have it.
    pub(crate) request_id: Option<String>,
}

impl Origin {
    /// The command line, straight on the database.
    pub(crate) fn command_line() -> Self {
        let actor = Actor::CommandLine { user: whoami::username().ok() };
        Self { actor, remote_address: None, request_id: None }
    }
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    /// Its identifier; the name of a type of readings, which has no other.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
}

impl About {
    pub(crate) fn new(id: &impl ToString, name: &impl ToString) -> Self {
        Self { id: id.to_string(), name: name.to_string() }
    }
}

/// What a change was like: JSON before and after it. Never a secret, nor the hash of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// `None` before something was created.
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    /// What was given as the reason.
    pub(crate) reason: Option<String>,
}

impl Change {
    /// Something is there that was not.
    pub(crate) const fn created(after: Value) -> Self {
        Self { before: None, after: Some(after), reason: None }
    }

    /// Something is another than it was.
    pub(crate) const fn of(before: Option<Value>, after: Value) -> Self {
        Self { before, after: Some(after), reason: None }
    }

    /// With the reason, if one was given.
    pub(crate) fn because(self, reason: &str) -> Self {
        let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        Self { reason, ..self }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    /// The word of an [`Action`], or of one that a newer program knows.
    pub(crate) action: Cow<'static, str>,
    pub(crate) origin: Origin,
    pub(crate) about: About,
    pub(crate) change: Change,
}

impl Entry {
    /// `id` as [`Identifiers`](crate::identify::Identifiers) make them.
    pub(crate) fn new(
        id: [u8; 16],
        at: Timestamp,
        action: Action,
        origin: &Origin,
        about: About,
        change: Change,
    ) -> Self {
        let (id, action) = (Uuid::from_bytes(id), action.as_str().into());
        Self { id, at, action, origin: origin.clone(), about, change }
    }

    /// The kind of thing that it is about, as its action names it.
    pub(crate) fn kind(&self) -> &str {
        self.action.split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_those_of_the_actions() {
        let words: HashSet<&str> = Action::ALL.into_iter().map(Action::as_str).collect();
        assert_eq!(words.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(Action::from_word(action.as_str()), Some(action));
            assert_eq!(action.as_str().split('.').count(), 2, "{action:?}");
        }
        assert_eq!(Action::from_word("signal.create"), None);
    }

    #[test]
    fn the_command_line_knows_its_user_and_no_address() {
        let origin = Origin::command_line();
        let Actor::CommandLine { user: Some(user) } = &origin.actor else {
            panic!("{origin:?}");
        };
        assert!(!user.is_empty());
        assert_eq!((origin.remote_address, origin.request_id), (None, None));
    }
}
