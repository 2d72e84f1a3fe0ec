//! Who did what: as entries, and as rows.

use super::listing::next_page;
use super::{Client, Listing, Target};
use crate::error::Result;
use crate::transport::Request;
use crate::types::audit::{AuditEntry, AuditFilter};

/// Rows of a page: as many as the server gives at once.
const ROWS: &str = "1000";

/// # Who did what
///
/// Only for tokens with the scope `admin`: for others all of it ends with
/// [`Error::Unauthorized`](crate::Error::Unauthorized).
impl Client {
    /// The changes that somebody asked for, the newest first; further pages are fetched as they are
    /// needed.
    pub fn audit(&self, filter: &AuditFilter) -> Listing<AuditEntry> {
        Listing::new(self.clone(), Ok(target(filter)))
    }

    /// The same as CSV, as the server writes it: pages that are one file when they are put together.
    pub fn audit_csv(&self, filter: &AuditFilter) -> AuditPages {
        let target = target(filter).query("format", Some("csv")).query("limit", Some(ROWS));
        AuditPages { client: self.clone(), next: Some(target) }
    }
}

fn target(filter: &AuditFilter) -> Target {
    let AuditFilter { since, until, action, key, about } = filter;
    Target("/audit".to_owned())
        .query("since", since.as_deref())
        .query("until", until.as_deref())
        .query("action", action.as_deref())
        .query("key", key.as_deref())
        .query("about", about.as_deref())
}

/// Pages of CSV, fetched as they are needed: the first begins with the names of the columns, and
/// put together they are one file.
///
/// After an error there are no more.
#[derive(Debug)]
#[must_use = "nothing is fetched before it is read"]
pub struct AuditPages {
    client: Client,
    next: Option<Target>,
}

impl AuditPages {
    fn fetch(&mut self, target: Target) -> Result<Vec<u8>> {
        let request = Request::get(target.0);
        let answer = self.client.ask(&request)?;
        self.next = next_page(&self.client, &request, &answer)?;
        Ok(answer.bytes)
    }
}

impl Iterator for AuditPages {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let target = self.next.take()?;
        Some(self.fetch(target))
    }
}
