//! What every answer of the console's goes through: errors become pages, refusals are noted, and a browser is told
//! what it may do with the answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::page::query;
use super::problem;
use super::shell::{LIST, Shell};
use super::visitor::{KnownShell, Visitor};
use crate::domain::names::OrganizationId;
use crate::http::compress;
use crate::http::denials;
use crate::http::failure::Failure;
use crate::http::request_id::RequestId;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::organizations;

/// Everything from here, and no script or style in a page itself: what a name or a note holds stays text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Under `no-referrer` browsers would send `Origin: null` with forms of the console's own.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Around every route of the console's.
pub(super) async fn around(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let known = KnownShell::default();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(known.clone());
    let id = parts.extensions.get::<RequestId>().copied();
    let (asked, method, has_query) = (parts.clone(), parts.method.clone(), parts.uri.query().is_some());
    let mut response = denials::noted(Request::from_parts(parts, body), next).await;
    match known.get() {
        Some((shell, _)) => keep_the_list(&mut response, &shell),
        // Whoever is signed in has the token of their session on every page.
        None => compress::mark(&method, has_query, &mut response),
    }
    let shell = match response.extensions().get::<Failure>() {
        Some(Failure::Api(_)) => surroundings(&node, asked, known).await,
        _ => Shell::of_nobody(&node),
    };
    dressed(response, id, || shell)
}

/// The answer as a browser gets it: an error is a page in its surroundings.
pub(super) fn dressed(
    mut response: Response,
    id: Option<RequestId>,
    shell: impl FnOnce() -> Shell,
) -> Response {
    if let Some(Failure::Api(error)) = response.extensions().get::<Failure>().cloned() {
        response.extensions_mut().insert(problem::page(shell(), error, id));
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// From a form about a key one comes back to a page about keys, and from there to the list as it was searched.
fn keep_the_list(response: &mut Response, shell: &Shell) {
    let Some(to) = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()) else { return };
    let Some((_, page)) = to.strip_prefix(&shell.base).and_then(|to| to.split_once("/keys")) else { return };
    if shell.list.is_empty() {
        return;
    }
    let kept = match page {
        "" => format!("{to}?{}", shell.list),
        page if page.contains('?') => format!("{to}&{}", query([(LIST, &*shell.list)])),
        _ => format!("{to}?{}", query([(LIST, &*shell.list)])),
    };
    if let Ok(kept) = HeaderValue::from_str(&kept) {
        response.headers_mut().insert(header::LOCATION, kept);
    }
}

/// What is around an error: for whoever is signed in, the tabs of the organization that the address names, if they know
/// it, or else of their own.
async fn surroundings(node: &Arc<Node>, mut asked: Parts, known: KnownShell) -> Shell {
    let known = match known.get() {
        Some(known) => Some(known),
        // The error came before anybody had asked who it is.
        None => {
            let visitor = Visitor::of(&mut asked, node).await.ok().flatten();
            visitor.map(|visitor| (visitor.shell, visitor.caller))
        }
    };
    let Some((shell, caller)) = known else { return Shell::of_nobody(node) };
    let path = asked.uri.path();
    let organization = named(node, &caller, path).await;
    shell.at_path(&caller, &organization.unwrap_or_else(|| caller.key.key.organization.clone()), path)
}

/// The organization that an address names, if there is one that the caller knows.
async fn named(node: &Arc<Node>, caller: &Caller, path: &str) -> Option<OrganizationId> {
    let (_, rest) = path.split_once("/console/orgs/")?;
    let organization: OrganizationId = rest.split('/').next()?.parse().ok()?;
    organizations::known(&node.records, caller, &organization).await.ok().map(|()| organization)
}
