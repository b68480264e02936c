//! Takes the answer of an OpenID provider (OpenID Connect Core 1.0 §3.1.2.5, RFC 9207), and opens a session.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::session::{self, SessionId, Visit};
use super::shell::{Shell, base};
use super::sign_in_attempt::{COOKIE, refused, unreachable};
use super::signed_in::led_on;
use super::step_up_answer::{NotConfirmed, confirmed};
use super::{choose, cookie, step_up};
use crate::domain::address::Origin;
use crate::domain::member::Member;
use crate::http::credentials::ClientAddress;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::node::{Attempt, Choice, Node, Person, Provider, SignInFault};
use crate::use_cases::management::ApiError;
use crate::use_cases::sign_in::{self, SignInRefusal};

const KNOWN: [&str; 4] = ["code", "state", "iss", "error"];

/// What somebody is told whose attempt is over, is another browser's, or is nobody's. Nothing tells the three apart.
const NO_ATTEMPT: &str = "This sign-in has ended, or it began in another browser. Nothing happened. Start again from the sign-in page.";

/// What somebody is told whose provider's answer is not believed.
const NOT_BELIEVED: &str = "The answer of your provider was not accepted. Nothing happened. Start again.";

/// `GET /console/sign-in/callback`. The attempt is over, however it ends.
pub(super) async fn answer(State(node): State<Arc<Node>>, mut parts: Parts) -> Response {
    let mut response = match answered(&node, &mut parts).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    };
    if let Some(cleared) = cookie::with_lax(&node, COOKIE, "", 0) {
        response.headers_mut().append(SET_COOKIE, cleared);
    }
    response
}

async fn answered(node: &Arc<Node>, parts: &mut Parts) -> Result<Response, Failure> {
    let ClientAddress(address) = ClientAddress::from_request_parts(parts, node).await?;
    let query = Query::of_page(parts, &KNOWN)?;
    let request_id = RequestId::of(parts);
    let origin = Origin { address, request_id: request_id.as_str() };
    // An answer to no attempt costs nothing and can guess nothing, so it is not counted. Any page can have a visitor's
    // browser send such answers, and must not keep them from signing in.
    let Some((attempt, provider)) = attempted(node, parts, &query) else {
        return Err(refused(node, NO_ATTEMPT.into()));
    };
    if let Some(seconds) = node.sign_in.wait(address) {
        return Err(ApiError::RateLimited(seconds).into());
    }
    match node.sign_in.use_once((&attempt.state, attempt.until), address) {
        Ok(true) => {}
        Ok(false) => return Err(refused(node, NO_ATTEMPT.into())),
        Err(_) => return Err(ApiError::TooManyConcurrent.into()),
    }
    let person = match believed(node, &provider, &query, &attempt, origin).await {
        Ok(person) => person,
        Err(Unbelieved { failure, is_wrong }) => {
            if is_wrong {
                node.sign_in.guessed(address);
            }
            return Err(failure);
        }
    };
    if let Some(again) = &attempt.again {
        return match confirmed(node, parts, (&provider.settings, &person), (&attempt, again), origin).await {
            Ok(confirmed) => led_on(node, confirmed, (attempt.next, attempt.form)),
            Err(NotConfirmed::Failed(error)) => Err(error.into()),
            Err(why) => {
                node.sign_in.guessed(address);
                tracing::info!(provider = provider.settings.name, %why, "a member was not confirmed");
                Err(not_let_in(node, &attempt, why.to_string()))
            }
        };
    }
    let member = match admitted(node, &provider, &person, &attempt, origin).await {
        Ok(Admitted::As(member)) => *member,
        Ok(Admitted::AsOneOf(memberships)) => {
            let choice = Choice::new(attempt, &person, &node.records.entropy, node.clock.now());
            return choose::ask(node, choice.map_err(ApiError::internal)?, &memberships).await;
        }
        Err(SignInRefusal::Store(error)) => return Err(ApiError::from(error).into()),
        Err(SignInRefusal::Internal(error)) => return Err(ApiError::internal(error).into()),
        Err(refusal) => {
            node.sign_in.guessed(address);
            tracing::info!(provider = provider.settings.name, %refusal, "somebody was not let in");
            let invitation = attempt.invitation.as_deref();
            sign_in::record_refusal(node, &provider.settings, invitation, &refusal, origin).await;
            return Err(refused(node, refusal.to_string()));
        }
    };
    opened(node, parts, member, &person, attempt, origin).await
}

/// The attempt that this browser began, if the answer belongs to it, and its provider.
fn attempted(node: &Node, parts: &Parts, query: &Query) -> Option<(Attempt, Arc<Provider>)> {
    let sealed = cookie::value(node, &parts.headers, COOKIE)?;
    let attempt = Attempt::opened(sealed, &node.master_keys, node.clock.now())?;
    let is_its_own: bool = attempt.state.as_bytes().ct_eq(query.text("state")?.as_bytes()).into();
    let provider = node.sign_in.provider(&attempt.provider)?;
    is_its_own.then(|| (attempt, Arc::clone(provider)))
}

/// An answer from which nobody learns who signed in.
struct Unbelieved {
    failure: Failure,
    /// Whether the answer is wrong. Otherwise, the provider is to blame.
    is_wrong: bool,
}

impl Unbelieved {
    fn wrong(node: &Node, attempt: &Attempt, message: &str) -> Self {
        Self { failure: not_let_in(node, attempt, message.to_owned()), is_wrong: true }
    }
}

/// Who signed in, if the answer is from the provider that the person was sent to.
async fn believed(
    node: &Node,
    provider: &Arc<Provider>,
    query: &Query,
    attempt: &Attempt,
    origin: Origin<'_>,
) -> Result<Person, Unbelieved> {
    let failed = |fault: SignInFault| {
        tracing::warn!(provider = provider.settings.name, %fault, "a sign-in failed");
        match fault {
            SignInFault::Crowded => {
                Unbelieved { failure: ApiError::TooManyConcurrent.into(), is_wrong: false }
            }
            fault if fault.is_of_provider() => {
                Unbelieved { failure: not_let_in(node, attempt, unreachable(provider)), is_wrong: false }
            }
            _ => Unbelieved::wrong(node, attempt, NOT_BELIEVED),
        }
    };
    if !node.sign_in.is_from(provider, query.text("iss")).await.map_err(failed)? {
        return Err(Unbelieved::wrong(node, attempt, NOT_BELIEVED));
    }
    match (query.text("code"), query.text("error")) {
        (Some(code), None) => {
            node.sign_in.person(provider, (code, attempt), origin.address).await.map_err(failed)
        }
        (None, Some("access_denied")) => {
            Err(Unbelieved::wrong(node, attempt, "The sign-in was cancelled at your provider."))
        }
        _ => Err(Unbelieved::wrong(node, attempt, NOT_BELIEVED)),
    }
}

/// The page for somebody who is not let in, or whose session does not go on in a new one.
fn not_let_in(node: &Node, attempt: &Attempt, message: String) -> Failure {
    match attempt.again {
        // The shell is that of nobody: this request came from another site, so it is without the session's cookie.
        Some(_) => step_up::refused(Shell::of_nobody(node), &attempt.next, message),
        None => refused(node, message),
    }
}

/// As whom somebody is let in.
enum Admitted {
    As(Box<Member>),
    /// They have to choose.
    AsOneOf(Vec<Member>),
}

/// The member whose session is to be opened.
async fn admitted(
    node: &Node,
    provider: &Provider,
    person: &Person,
    attempt: &Attempt,
    origin: Origin<'_>,
) -> Result<Admitted, SignInRefusal> {
    let settings = &provider.settings;
    if let Some(digest) = &attempt.invitation {
        let accepted = sign_in::accept(node, settings, person, digest, origin).await?;
        sign_in::follow_groups(node, settings, person, origin).await?;
        return Ok(Admitted::As(Box::new(accepted)));
    }
    let not_joined = sign_in::follow_groups(node, settings, person, origin).await?;
    let known = sign_in::memberships(node, &settings.name, &person.identity, not_joined);
    let mut memberships = known.await?;
    let is_alone = memberships.len() == 1;
    let wanted = memberships.iter().position(|member| is_of_page(&base(node), &attempt.next, member));
    match wanted.or(is_alone.then_some(0)) {
        Some(at) => Ok(Admitted::As(Box::new(memberships.swap_remove(at)))),
        None => Ok(Admitted::AsOneOf(memberships)),
    }
}

/// Whether the page `next` is one of the member's organization, or of the deployment for a member of it.
fn is_of_page(base: &str, next: &str, member: &Member) -> bool {
    let rest = next.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    let (path, _) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parts = path.split('/');
    match (&member.organization, parts.next(), parts.next()) {
        (Some(id), Some("orgs"), Some(wanted)) => id.as_str() == wanted,
        (None, Some("orgs"), None) | (None, Some("audit" | "audit.csv" | "signing-keys" | "members"), _) => {
            true
        }
        _ => false,
    }
}

/// Opens a new session, ends the browser's earlier one, and leads on.
async fn opened(
    node: &Arc<Node>,
    parts: &Parts,
    member: Member,
    person: &Person,
    attempt: Attempt,
    origin: Origin<'_>,
) -> Result<Response, Failure> {
    let earlier = attempt.earlier.as_ref().and_then(|id| id.parse::<SessionId>().ok());
    let visit = Visit::new(origin, &parts.headers);
    let opened = session::open_for_member(node, &member, person.authenticated_at, earlier, visit).await;
    led_on(node, opened?, (attempt.next, attempt.form))
}
