//! The audit: who did what, when, from where, and what it changed.

mod answer;
mod rows;

use std::sync::Arc;

use poem::web::Accept;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use uuid::Uuid;

use self::answer::{Entries, Page};
use self::rows::Rows;
use super::problem::{ApiError, Kind};
use super::{Tag, moment, page};
use crate::access::Desk;
use crate::app::App;
use crate::audit::{self, Action, Filter, Position};
use crate::key::KeyId;

/// What an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// A list of objects.
    Json,
    /// Rows, for spreadsheets.
    Csv,
}

impl Format {
    /// Its word in a query.
    fn parse(word: &str) -> Result<Self, ApiError> {
        match word {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            _ => Err(refused("format", word, "it must be json or csv")),
        }
    }

    /// What the header asks for: the first that it names; JSON if it names neither.
    fn accepted(accept: &Accept) -> Self {
        let named = accept.0.iter().find_map(|media| match media.essence_str() {
            "text/csv" | "text/*" => Some(Self::Csv),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        });
        named.unwrap_or(Self::Json)
    }
}

/// The audit of one organization.
pub(crate) struct AuditApi {
    pub(crate) app: Arc<App>,
    pub(crate) desk: Desk,
}

#[OpenApi(tag = "Tag::Audit")]
impl AuditApi {
    /// List who did what
    ///
    /// Every change that somebody asked for, newest first, stored in the transaction of the change:
    /// with who asked, from where, in which request, and what it was before and after. What was
    /// refused or changed nothing is not in it; neither are signals and readings, and what the engine
    /// decides by itself: that is in GET /release/{id}/decisions.
    ///
    /// The address is that of the other end of the connection. Behind a proxy it is the proxy's:
    /// `X-Forwarded-For` and its like are not looked at, as anybody can write them. The proxy's own
    /// log has the rest, under the `X-Request-Id` that it sends on.
    ///
    /// In CSV, a cell that a spreadsheet would take for a formula begins with an apostrophe.
    #[oai(path = "/audit", method = "get", operation_id = "list_audit")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        /// Only entries from then on, RFC 3339.
        since: Query<Option<String>>,
        /// Only entries before then, RFC 3339.
        until: Query<Option<String>>,
        /// Only entries of this action, for example `release.promote`.
        action: Query<Option<String>>,
        /// Only what was done with the key that has this identifier, a UUID.
        key: Query<Option<String>>,
        /// Only what was done to the product, release, type of readings, key or organization that has
        /// this identifier.
        about: Query<Option<String>>,
        /// Where the page begins, from the `Link` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of a page, 1 to 1000, 100 if absent.
        limit: Query<Option<i64>>,
        /// `json` or `csv`; as the header `Accept` says if absent.
        format: Query<Option<String>>,
        accept: Accept,
    ) -> Result<Entries, ApiError> {
        let asked = [&since.0, &until.0, &action.0, &key.0, &about.0].map(Option::as_deref);
        let filter = filter(asked)?;
        let limit = page::limit(limit.0)?;
        let cursor = cursor.0.as_deref();
        let after = cursor.map(read_cursor).transpose()?;
        let word = format.0.as_deref();
        let format = word.map_or_else(|| Ok(Format::accepted(&accept)), Format::parse)?;
        let found = audit::page(&self.app.store, &self.desk, &filter, after, limit).await?;
        let last = found.items.last().filter(|_| found.has_more).map(Position::of);
        let link = last.map(|last| next(asked, word, &last, limit));
        let items = found.items.into_iter();
        Ok(match format {
            Format::Json => Entries::Objects(Page::Of(Json(items.map(Into::into).collect()), link)),
            Format::Csv => Entries::Rows(Rows::of(items, cursor.is_none())?, link),
        })
    }
}

/// What is asked for: since, until, action, key and about.
type Asked<'a> = [Option<&'a str>; 5];

fn filter([since, until, action, key, about]: Asked<'_>) -> Result<Filter, ApiError> {
    let moment = |name, text: Option<&str>| {
        let read = |text| moment::parse(name, text);
        let bad = |detail| ApiError::new(Kind::InvalidParameter, format!("parameter {detail}"));
        text.map(read).transpose().map_err(bad)
    };
    let key_id = |text| KeyId::parse(text).map_err(|error| ApiError::parameter("key", &error));
    Ok(Filter {
        since: moment("since", since)?,
        until: moment("until", until)?,
        action: action.map(read_action).transpose()?,
        key: key.map(key_id).transpose()?,
        about: about.map(identifier),
    })
}

/// The `Link` to what comes after the last entry.
fn next(asked: Asked<'_>, format: Option<&str>, last: &Position, limit: usize) -> String {
    let [since, until, action, key, about] = asked;
    let filters = [
        ("since", since),
        ("until", until),
        ("action", action),
        ("key", key),
        ("about", about),
        ("format", format),
    ];
    page::next("/audit", &filters, &last.to_string(), limit)
}

fn read_action(word: &str) -> Result<Action, ApiError> {
    let known = || {
        let words: Vec<&str> = Action::ALL.into_iter().map(Action::as_str).collect();
        format!("known are {}", words.join(", "))
    };
    Action::from_word(word).ok_or_else(|| refused("action", word, &known()))
}

/// As it is stored, however a UUID is written.
fn identifier(text: &str) -> String {
    Uuid::try_parse(text).map_or_else(|_| text.to_owned(), |id| id.hyphenated().to_string())
}

fn refused(name: &str, value: &str, what: &str) -> ApiError {
    let shown: String = value.chars().take(64).collect();
    let detail = format!("parameter `{name}` is `{shown}`, {what}");
    ApiError::new(Kind::InvalidParameter, detail)
}

fn read_cursor(text: &str) -> Result<Position, ApiError> {
    text.parse().map_err(|()| page::bad_cursor(text))
}
