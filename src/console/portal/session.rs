//! The sessions of the portal, in a cookie of their own.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};

use crate::console::cookie;
use crate::console::session::SessionId;
use crate::domain::address::Origin;
use crate::domain::names::OrganizationId;
use crate::node::Node;
use crate::store::PortalSession;
use crate::use_cases::access::{Caller, portal_user};
use crate::use_cases::management::portal_sessions::{self, PortalCode};
use crate::use_cases::management::{ApiError, Forbidden, carry_out};

/// The cookie's name, after that of the console's session.
const NAME: &str = "portal";

/// The purpose of the tag on session ids, so that forged ids never reach the store.
const PURPOSE: &str = "portal session";

/// The name under which forged codes are counted.
const GUESSES: &str = "portal";

/// Opens the session of a code.
///
/// A code that this deployment never made is found out by its tag. Such codes, and the repetitions of a dead one, are counted
/// against the network that sends them. They delay nobody who has a right one.
///
/// # Errors
/// [`ApiError::Forbidden`] for a code that opens nothing, and [`ApiError::RateLimited`] after ten of them in a minute.
pub(super) async fn open(
    node: &Arc<Node>,
    text: &str,
    origin: Origin<'_>,
) -> Result<(SessionId, OrganizationId), ApiError> {
    let (now, throttle, from) = (node.clock.now(), &node.authenticator.throttle, origin.address.known());
    let code = PortalCode::read(&node.authenticator, text);
    let counted = code.as_ref().map_or_else(|| GUESSES.to_owned(), PortalCode::digest);
    if let Some(seconds) = throttle.wait(&counted, from, now) {
        return Err(ApiError::RateLimited(seconds));
    }
    let id = SessionId::generate(&node.records.entropy).map_err(ApiError::internal)?;
    let opened = match code {
        Some(code) => {
            let (server, digest) = (Arc::clone(node), id.digest());
            let (address, request) = (origin.address, origin.request_id.to_owned());
            carry_out(async move {
                let origin = Origin { address, request_id: &request };
                portal_sessions::open(&server.records, &server.authenticator, &code, &digest, origin).await
            })
            .await
        }
        None => Err(Forbidden::DeadPortalCode.into()),
    };
    if opened == Err(Forbidden::DeadPortalCode.into()) {
        throttle.failed(&counted, from, now);
    }
    opened.map(|session| (id, session.organization))
}

/// The session of the request, and its user with the rights that the session has now. `None` when it has ended.
///
/// # Errors
/// [`ApiError`] when that can't be found out.
pub(in crate::console) async fn resume(
    node: &Arc<Node>,
    headers: &HeaderMap,
    origin: Origin<'_>,
) -> Result<Option<(SessionId, Caller)>, ApiError> {
    let cookie = cookie::value(node, headers, NAME);
    let id = cookie.and_then(|cookie| node.master_keys.unmarked(PURPOSE, cookie));
    let Some(id) = id.and_then(|id| id.parse::<SessionId>().ok()) else { return Ok(None) };
    let now = node.clock.now();
    let session = node.records.store.portal_session(&id.digest()).await?;
    let Some(session) = session.filter(|session| session.is_live(now)) else { return Ok(None) };
    let user = portal_user(&node.authenticator, session, origin, now).await?;
    Ok(user.map(|user| (id, user)))
}

/// The header that sets the cookie.
pub(super) fn keep(node: &Node, id: &SessionId) -> Option<HeaderValue> {
    let marked = node.master_keys.marked(PURPOSE, &id.expose());
    cookie::with(node, NAME, &marked, PortalSession::LONGEST_SECONDS)
}
