//! Which entries are asked for, and a page of them.

use std::fmt;
use std::str::FromStr;

use canary_core::time::Timestamp;
use sea_orm::prelude::Uuid;

use super::{Action, Entry};
use crate::access::{AccessError, Desk};
use crate::key::KeyId;
use crate::store::{PageOf, Store};

/// Which entries are asked for: those that are all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// From then on.
    pub(crate) since: Option<Timestamp>,
    /// Before then.
    pub(crate) until: Option<Timestamp>,
    pub(crate) action: Option<Action>,
    /// Done with this key.
    pub(crate) key: Option<KeyId>,
    /// Done to what has this identifier.
    pub(crate) about: Option<String>,
}

/// A place between two entries: after one, on the way to older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

impl Position {
    /// That of an entry.
    pub(crate) const fn of(entry: &Entry) -> Self {
        Self { at: entry.at, id: entry.id }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}", self.at.as_micros(), self.id)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('_').ok_or(())?;
        let at = Timestamp::from_micros(at.parse().map_err(drop)?);
        Ok(Self { at, id: Uuid::try_parse(id).map_err(drop)? })
    }
}

/// Entries of one organization, newest first, `limit` of them after the given place: those among
/// its tables, and those about its keys.
pub(crate) async fn page(
    store: &Store,
    desk: &Desk,
    filter: &Filter,
    after: Option<Position>,
    limit: usize,
) -> Result<PageOf<Entry>, AccessError> {
    let mut entries = store.audit(filter, after, limit + 1).await?;
    entries.extend(desk.audit(filter, after, limit + 1).await?);
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(Position::of(entry)));
    Ok(PageOf::of(entries, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let id = Uuid::from_u128(7);
        let position = Position { at: Timestamp::from_micros(-5), id };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "_", "1", "1_x", "x_00000000-0000-0000-0000-000000000007", "1_2_3"] {
            assert_eq!(text.parse::<Position>(), Err(()), "{text}");
        }
    }
}
