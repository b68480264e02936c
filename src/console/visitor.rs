//! Identifies the visitor of the console.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};

use super::session::{self, Left, Resumed, SessionId};
use super::shell::{LIST, Section, Shell};
use super::{cookie, cross_site_link, next_page, portal};
use crate::domain::address::Origin;
use crate::domain::names::OrganizationId;
use crate::http::credentials::ClientAddress;
use crate::http::denials::KnownCaller;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::node::Node;
use crate::store::ConsoleSession;
use crate::use_cases::access::{Caller, Identity};
use crate::use_cases::management::ApiError;

/// A signed-in visitor, with exactly the rights that the management API would grant.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) caller: Caller,
    pub(super) session: SessionId,
    /// The session as the store has it.
    opened: Option<ConsoleSession>,
    pub(super) shell: Shell,
}

/// The shell of a request, once the visitor is identified. Error pages use it.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownShell(Arc<OnceLock<(Shell, Caller)>>);

impl KnownShell {
    pub(super) fn get(&self) -> Option<(Shell, Caller)> {
        self.0.get().cloned()
    }
}

impl Visitor {
    /// The visitor, or `None` when nobody is signed in.
    ///
    /// # Errors
    /// [`Failure`] when the session can't be checked, or its key is not valid from this address.
    pub(super) async fn of(parts: &mut Parts, node: &Arc<Node>) -> Result<Option<Self>, Failure> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, node).await?;
        let request_id = RequestId::of(parts);
        let origin = Origin { address, request_id: request_id.as_str() };
        let resumed = if portal::is_here(parts) {
            let resumed = portal::session::resume(node, &parts.headers, origin).await;
            resumed.map(|resumed| resumed.map(|(session, caller)| (session, caller, None, Left::default())))
        } else {
            signed_in(node, &parts.headers, origin).await
        };
        let (session, caller, opened, left) = match resumed {
            Ok(Some(resumed)) => resumed,
            // The key is no longer valid, so the session has ended.
            Ok(None)
            | Err(
                ApiError::Unauthenticated { .. }
                | ApiError::KeyRevoked
                | ApiError::KeyExpired
                | ApiError::KeyDisabled
                | ApiError::ProofRequired,
            ) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if let Some(known) = parts.extensions.get::<KnownCaller>() {
            known.admit(node, &caller)?;
        }
        let mut shell = Shell { list: list_of(parts), ..Shell::of(node, &caller, &session, left) };
        if let Some(provider) = elsewhere(node, &caller).await? {
            shell = shell.with_elsewhere(provider);
        }
        if let Some(known) = parts.extensions.get::<KnownShell>() {
            let _ = known.0.set((shell.clone(), caller.clone()));
        }
        Ok(Some(Self { caller, session, opened, shell }))
    }

    /// The session as the store has it. No page about sessions is in the portal.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] in the portal.
    pub(super) fn in_console(&self) -> Result<&ConsoleSession, ApiError> {
        self.opened.as_ref().ok_or(ApiError::NotFound)
    }

    /// The shell of an organization's page.
    pub(super) fn shell_at(&self, organization: &OrganizationId, section: Section) -> Shell {
        self.shell.at(&self.caller, organization, section)
    }
}

impl FromRequestParts<Arc<Node>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Response> {
        match Self::of(parts, node).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) if portal::is_here(parts) => Err(portal::Ended::page(node)),
            Ok(None) => Err(match cross_site_link::over(parts, node) {
                Some(page) => page.into_response(),
                None => to_sign_in(parts, node),
            }),
            Err(failure) => Err(failure.into_response()),
        }
    }
}

/// The session in the console's cookie, and its caller. `None` when nobody is signed in.
async fn signed_in(
    node: &Arc<Node>,
    headers: &HeaderMap,
    origin: Origin<'_>,
) -> Result<Option<(SessionId, Caller, Option<ConsoleSession>, Left)>, ApiError> {
    let Some(session) = cookie::read(node, headers) else { return Ok(None) };
    let resumed = session::resume(node, &session, origin).await?;
    Ok(resumed.map(|Resumed { caller, opened, left }| (session, caller, Some(opened), left)))
}

/// The provider at which a member chooses another of their memberships, if they have any.
async fn elsewhere<'c>(node: &Node, caller: &'c Caller) -> Result<Option<&'c str>, ApiError> {
    let Identity::Member(member) = &caller.identity else { return Ok(None) };
    let Some(identity) = &member.identity else { return Ok(None) };
    let known = node.records.store.memberships(identity).await?;
    let others = known.iter().filter(|other| other.is_active() && other.provider == member.provider);
    Ok((others.count() > 1 && node.sign_in.provider(&member.provider).is_some()).then_some(&*member.provider))
}

/// The query of the list that the visitor came from. It is only ever used in the query of a link to that list.
fn list_of(parts: &Parts) -> String {
    let query = Query::of_page(parts, &[LIST]).ok();
    let list = query.as_ref().and_then(|query| query.text(LIST)).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%&=._~-".contains(&byte);
    if list.bytes().all(is_plain) { list.to_owned() } else { String::new() }
}

/// Redirects to the sign-in page, which leads back to the requested page.
fn to_sign_in(parts: &Parts, node: &Node) -> Response {
    let wanted = parts.uri.path_and_query().filter(|_| parts.method == Method::GET).map(|path| path.as_str());
    next_page::sign_in_first(node, wanted, cookie::read(node, &parts.headers).is_some())
}
