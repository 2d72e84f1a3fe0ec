//! Who a request is from, for the audit.

use poem::{FromRequest, Request, RequestBody};

use super::problem::REQUEST_ID;
use crate::access::Visitor;
use crate::audit::{Actor, Origin};

/// Made only for requests that ask for a change.
impl<'a> FromRequest<'a> for Origin {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let actor = match request.data::<Visitor>() {
            Some(Visitor::Holder(caller)) => Actor::Holder(caller.holder.clone()),
            Some(Visitor::Anybody) | None => Actor::Anybody,
        };
        // Headers that a proxy may add are not looked at: whoever asks could have written them.
        let socket = request.remote_addr().as_socket_addr();
        let remote_address = socket.map(|socket| socket.ip().to_canonical());
        Ok(Self { actor, remote_address, request_id: REQUEST_ID.try_with(Clone::clone).ok() })
    }
}
