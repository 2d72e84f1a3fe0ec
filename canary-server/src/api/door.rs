//! The door: who comes with which key, and into whose room.
//!
//! The one place where a request is let in. The key tells the organization and the scopes; the room
//! behind answers without asking again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::header::{AUTHORIZATION, EXPECT};
use poem::web::headers::authorization::Basic;
use poem::web::headers::{Authorization, HeaderMapExt as _};
use poem::{Endpoint, Request, Response, Route};
use tracing::debug;

use super::moment;
use super::operation::{self, Found, Need};
use super::problem::{ApiError, Kind};
use super::system;
use crate::access::{Caller, Refusal, Visitor};
use crate::house::House;
use crate::lobby::Lobby;
use crate::organization::OrganizationId;
use crate::role::Role;

/// How much is read of what was refused, in bytes, and for how long.
const MOST_DRAINED: usize = 1 << 20;
const DRAIN: Duration = Duration::from_secs(2);

/// In front of all rooms.
pub(super) struct Door {
    lobby: Arc<Lobby>,
    /// What is open to everybody, and the same in all rooms.
    pages: Route,
}

impl Door {
    pub(super) const fn of(lobby: Arc<Lobby>, pages: Route) -> Self {
        Self { lobby, pages }
    }

    /// Whose room the request is for.
    fn admit(
        house: &House,
        request: &Request,
        need: Need,
    ) -> Result<(OrganizationId, Visitor), ApiError> {
        if need == Need::Nothing || house.is_open() {
            return Ok((OrganizationId::DEFAULT, Visitor::Anybody));
        }
        let known = house.access.known();
        let caller = known.admit(&key_of(request)?, house.clock.now()).map_err(refused)?;
        if need.is_met(caller.scopes, caller.organization == OrganizationId::DEFAULT) {
            return Ok((caller.organization, Visitor::Holder(caller)));
        }
        Err(forbidden(need, &caller))
    }
}

impl Endpoint for Door {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        if super::is_page(path) {
            return self.pages.call(request).await;
        }
        let (part, need) = match operation::find(request.method(), path) {
            Found::Operation(part, need) => (part, need),
            Found::OtherMethods => return Err(MethodNotAllowedError.into()),
            Found::Nothing => return Err(NotFoundError.into()),
        };
        let Some(house) = self.lobby.house() else {
            let why = self.lobby.why_closed();
            if let Some(answer) = system::answer_while_closed(path, why) {
                return Ok(answer);
            }
            drain(&mut request).await;
            return Err(ApiError::new(Kind::Unavailable, format!("{why}, try again later")).into());
        };
        let admitted = direct(house, part).and_then(|()| Self::admit(house, &request, need));
        let (organization, visitor) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                let refusal = if is_dashboard(&request) { refusal.for_browsers() } else { refusal };
                drain(&mut request).await;
                return Err(refusal.into());
            }
        };
        let room = house.room(organization).await.map_err(|cause| {
            // Told in the log by those who try to open it.
            debug!(organization.id = %organization, %cause, "a request for a room that is closed");
            let detail =
                "the organization cannot be served at the moment, the server's log says why";
            ApiError::new(Kind::Busy, detail)
        })?;
        request.set_data(visitor);
        room.endpoint().call(request).await
    }
}

/// Whether this is the server for it.
fn direct(house: &House, part: Option<Role>) -> Result<(), ApiError> {
    let roles = house.roles();
    match part.filter(|role| !roles.include(*role)) {
        None => Ok(()),
        Some(role) => {
            let role = role.as_str();
            let detail =
                format!("this needs a server with the role `{role}`, this one has `{roles}`");
            Err(ApiError::new(Kind::Misdirected, detail))
        }
    }
}

/// Reads what comes with a request that was refused, and throws it away.
///
/// A connection that is closed while its client still sends breaks before the refusal is read, and
/// the client would try again what will never be let in.
async fn drain(request: &mut Request) {
    if request.headers().contains_key(EXPECT) {
        // Nothing comes before it is asked for.
        return;
    }
    let mut body = request.take_body().into_bytes_stream();
    let read = async {
        let mut left = MOST_DRAINED;
        while let Some(Ok(bytes)) = body.next().await {
            let Some(less) = left.checked_sub(bytes.len()) else { return };
            left = less;
        }
    };
    // Whoever sends for longer may find the connection broken.
    let _ = tokio::time::timeout(DRAIN, read).await;
}

/// Whether it is for the page that people look at.
fn is_dashboard(request: &Request) -> bool {
    request.uri().path() == "/"
}

/// The key of a request. A browser cannot send it as programs do, so for the dashboard, which
/// changes nothing, it may be the password of RFC 7617 as well, under any name.
fn key_of(request: &Request) -> Result<Cow<'_, str>, ApiError> {
    let basic = || request.headers().typed_get::<Authorization<Basic>>();
    match is_dashboard(request).then(basic).flatten() {
        Some(basic) => Ok(Cow::Owned(basic.password().to_owned())),
        None => bearer(request).map(Cow::Borrowed),
    }
}

/// The key of a request, as RFC 6750 has it in the header.
fn bearer(request: &Request) -> Result<&str, ApiError> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        let detail = "a key is needed: send it as `Authorization: Bearer <key>`";
        return Err(ApiError::new(Kind::Unauthorized, detail));
    };
    let is_only = values.next().is_none();
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    let key = parts.filter(|(scheme, _)| is_only && scheme.eq_ignore_ascii_case("bearer"));
    // Not a word of what it is instead: it may be a key with a slip.
    let unreadable = || {
        let detail = "the header `Authorization` must be there once, as `Bearer <key>`";
        ApiError::new(Kind::Unauthorized, detail)
    };
    key.map(|(_, key)| key.trim()).ok_or_else(unreadable)
}

fn refused(refusal: Refusal) -> ApiError {
    let detail = match refusal {
        Refusal::Unknown => "the key is unknown or was revoked".to_owned(),
        Refusal::Expired(at) => format!("the key has expired at {}", moment::show(at)),
    };
    ApiError::new(Kind::Unauthorized, detail)
}

fn forbidden(need: Need, caller: &Caller) -> ApiError {
    // What needs nothing is never forbidden.
    let needed = need.words().unwrap_or_default();
    let scopes = caller.scopes;
    ApiError::new(Kind::Forbidden, format!("this needs {needed}, the key has {scopes}"))
}
