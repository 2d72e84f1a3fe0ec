//! What is answered of the audit: objects, or rows.

use poem::{IntoResponse, Response};
use poem_openapi::payload::Json;
use poem_openapi::registry::{MetaMediaType, MetaResponses, Registry};
use poem_openapi::types::Type as _;
use poem_openapi::{ApiResponse, Object};
use serde_json::Value;

use super::rows::Rows;
use crate::api::moment;
use crate::audit::{Actor, Entry};

/// Who did something.
#[derive(Object)]
#[oai(rename = "AuditActor")]
struct ActorBody {
    /// `key`: the holder of a key. `anybody`: nobody in particular, as there was no key. `command_line`:
    /// somebody beside the database.
    kind: String,
    /// The identifier of the key; null if it was none.
    id: Option<String>,
    /// What the key was called; null if it was none.
    name: Option<String>,
    /// The 8 characters after `canary_` of the key; null if it was none.
    prefix: Option<String>,
    /// The name that the operating system has for who was at the command line; null otherwise.
    user: Option<String>,
}

/// What something was done to.
#[derive(Object)]
#[oai(rename = "AuditAbout")]
struct AboutBody {
    /// `product`, `release`, `reading_type`, `key` or `organization`.
    kind: String,
    /// Its identifier; the name of a type of readings, which has no other.
    id: String,
    /// What people call it.
    name: String,
}

/// A change that somebody asked for.
#[derive(Object)]
#[oai(rename = "AuditEntry")]
pub(super) struct EntryBody {
    /// Its identifier, a UUID.
    id: String,
    /// When it was done.
    at: String,
    /// What was done: `product.create`, `product.policy`, `release.create`, `release.promote`,
    /// `release.rollback`, `release.pause`, `release.resume`, `reading_type.declare`, `key.create`,
    /// `key.rotate`, `key.revoke` or `organization.create`.
    action: String,
    /// Who did it.
    actor: ActorBody,
    /// The other end of the connection, an IP address; behind a proxy it is the proxy's. Null from the
    /// command line.
    remote_address: Option<String>,
    /// The `X-Request-Id` of the request; null from the command line.
    request_id: Option<String>,
    /// What it was done to.
    about: AboutBody,
    /// The reason that was given with an action on a release; null if none was.
    reason: Option<String>,
    /// What was changed, as it was before; null where it was created.
    before: Option<Value>,
    /// What was changed, as it is since. Of a release, `others` are those whose state changed with it.
    after: Option<Value>,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        let kind = entry.kind().to_owned();
        let Entry { id, at, action, origin, about, change } = entry;
        Self {
            id: id.to_string(),
            at: moment::show(at),
            action: action.into_owned(),
            actor: origin.actor.into(),
            remote_address: origin.remote_address.map(|address| address.to_string()),
            request_id: origin.request_id,
            about: AboutBody { kind, id: about.id, name: about.name },
            reason: change.reason,
            before: change.before,
            after: change.after,
        }
    }
}

impl From<Actor> for ActorBody {
    fn from(actor: Actor) -> Self {
        let of = |kind: &str| Self {
            kind: kind.to_owned(),
            id: None,
            name: None,
            prefix: None,
            user: None,
        };
        match actor {
            Actor::Anybody => of("anybody"),
            Actor::Holder(holder) => Self {
                id: Some(holder.key.to_string()),
                name: Some(holder.name.to_string()),
                prefix: Some(holder.prefix.to_string()),
                ..of("key")
            },
            Actor::CommandLine { user } => Self { user, ..of("command_line") },
        }
    }
}

/// A page of objects.
#[derive(ApiResponse)]
pub(super) enum Page {
    /// Entries, newest first. Of a list of rows the first page begins with the names of the columns,
    /// and the others do not: put together they are one file.
    #[oai(status = 200)]
    Of(
        Json<Vec<EntryBody>>,
        /// Leads to the next page; absent on the last.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// A page, whatever it is written in; rows with the `Link` to the next.
pub(super) enum Entries {
    Objects(Page),
    Rows(Rows, Option<String>),
}

impl ApiResponse for Entries {
    fn meta() -> MetaResponses {
        let mut meta = Page::meta();
        // A status has one place in the document, with all that its answer may be written in.
        for response in &mut meta.responses {
            let (content_type, schema) = (Rows::CONTENT_TYPE, String::schema_ref());
            response.content.push(MetaMediaType { content_type, schema });
        }
        meta
    }

    fn register(registry: &mut Registry) {
        Page::register(registry);
    }
}

impl IntoResponse for Entries {
    fn into_response(self) -> Response {
        match self {
            Self::Objects(page) => page.into_response(),
            Self::Rows(rows, None) => rows.into_response(),
            Self::Rows(rows, Some(link)) => rows.with_header("Link", link).into_response(),
        }
    }
}
