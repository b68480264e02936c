//! Asks somebody with several memberships as which member to go on, right after the sign-in. Until then there is no session.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::fields::Fields;
use super::session::{self, SessionId, Visit};
use super::shell::{Shell, base};
use super::sign_in_attempt::refused;
use super::signed_in::led_on;
use super::{cookie, origin, page as answer};
use crate::domain::address::Origin;
use crate::domain::member::Member;
use crate::domain::principal::Principal;
use crate::http::credentials::ClientAddress;
use crate::http::failure::Failure;
use crate::http::request_id::RequestId;
use crate::node::{Choice, Node};
use crate::store::StoreError;
use crate::use_cases::management::ApiError;
use crate::use_cases::sign_in::{NotJoined, SignInRefusal, memberships};

/// The name of the cookie with the sealed choice. The browser sends it with our own form alone.
const COOKIE: &str = "choice";

/// What somebody is told whose choice is over, is another browser's, or is nobody's. Nothing tells the three apart.
const NO_CHOICE: &str =
    "This choice has ended, or you signed in with another browser. Nothing happened. Sign in again.";

#[derive(Template)]
#[template(path = "choose.html")]
struct ChoosePage {
    shell: Shell,
    /// The id of the choice.
    id: String,
    rows: Vec<Row>,
}

struct Row {
    member: String,
    /// The name of the organization. `None` for the deployment.
    organization: Option<String>,
    role: &'static str,
}

/// The page that asks, and the cookie that keeps the choice.
///
/// # Errors
/// [`Failure`].
pub(super) async fn ask(
    node: &Arc<Node>,
    mut choice: Choice,
    memberships: &[Member],
) -> Result<Response, Failure> {
    let sealed = choice.sealed(&base(node), &node.master_keys, &node.records.entropy);
    let sealed = sealed
        .map_err(ApiError::internal)?
        .ok_or_else(|| ApiError::internal("the choice is too long for a cookie"))?;
    let rows = rows(node, memberships).await.map_err(ApiError::from)?;
    let page = ChoosePage { shell: Shell::of_nobody(node), id: choice.id, rows };
    let mut response = answer::page(&page)?;
    if let Some(kept) = cookie::with(node, COOKIE, &sealed, Choice::SECONDS) {
        response.headers_mut().append(SET_COOKIE, kept);
    }
    Ok(response)
}

async fn rows(node: &Node, memberships: &[Member]) -> Result<Vec<Row>, StoreError> {
    let reading = node.records.store.reading(&Principal::default()).await?;
    let mut rows = Vec::new();
    for member in memberships {
        let organization = match &member.organization {
            Some(id) => {
                let found = reading.organization(id).await?;
                Some(found.map_or_else(|| id.to_string(), |organization| organization.name))
            }
            None => None,
        };
        rows.push(Row { member: member.id.to_string(), organization, role: member.role.as_str() });
    }
    Ok(rows)
}

/// `POST /console/sign-in/choose`. A choice counts once, however it ends.
pub(super) async fn choose(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let mut response = match chosen(&node, request).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    };
    if let Some(cleared) = cookie::with(&node, COOKIE, "", 0) {
        response.headers_mut().append(SET_COOKIE, cleared);
    }
    Ok(response)
}

async fn chosen(node: &Arc<Node>, request: Request) -> Result<Response, Failure> {
    let (mut parts, _, fields) = Fields::read(request).await?;
    let ClientAddress(address) = ClientAddress::from_request_parts(&mut parts, node).await?;
    let sealed = cookie::value(node, &parts.headers, COOKIE);
    let choice = sealed.and_then(|sealed| Choice::opened(sealed, &node.master_keys, node.clock.now()));
    let is_its_own =
        |choice: &Choice| bool::from(choice.id.as_bytes().ct_eq(fields.text("choice").as_bytes()));
    let Some(choice) = choice.filter(is_its_own) else {
        return Err(refused(node, NO_CHOICE.into()));
    };
    match node.sign_in.use_once((&choice.id, choice.until), address) {
        Ok(true) => {}
        Ok(false) => return Err(refused(node, NO_CHOICE.into())),
        Err(_) => return Err(ApiError::TooManyConcurrent.into()),
    }
    // The memberships are read again: somebody may have been removed since the sign-in.
    let known = match memberships(node, &choice.provider, &choice.identity(), NotJoined::default()).await {
        Ok(known) => known,
        Err(SignInRefusal::Store(error)) => return Err(ApiError::from(error).into()),
        Err(SignInRefusal::Internal(error)) => return Err(ApiError::internal(error).into()),
        Err(refusal) => return Err(refused(node, refusal.to_string())),
    };
    let wanted = fields.text("member");
    let Some(member) = known.into_iter().find(|member| member.id.to_string() == wanted) else {
        return Err(refused(node, SignInRefusal::NotAMember.to_string()));
    };
    let request_id = RequestId::of(&parts);
    let visit = Visit::new(Origin { address, request_id: request_id.as_str() }, &parts.headers);
    let earlier = choice.earlier.as_ref().and_then(|id| id.parse::<SessionId>().ok());
    let opened = session::open_for_member(node, &member, choice.authenticated_at(), earlier, visit).await?;
    led_on(node, opened, (choice.next, choice.form))
}
