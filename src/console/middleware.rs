//! Middleware around every response of the console: it turns errors into pages, records denied scopes, and sets the
//! browser's security headers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::page::query;
use super::portal::nobody;
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

/// Everything loads from this origin, and nothing is inline. Markup in a name or a note can therefore never run.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// `no-referrer` would make browsers send `Origin: null` with the console's own forms.
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

/// Middleware around every route of the console.
pub(super) async fn around(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let known = KnownShell::default();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(known.clone());
    let id = parts.extensions.get::<RequestId>().copied();
    let (asked, method, has_query) = (parts.clone(), parts.method.clone(), parts.uri.query().is_some());
    let mut response = denials::noted(Request::from_parts(parts, body), next).await;
    match known.get() {
        Some((shell, _)) => keep_the_list(&mut response, &shell),
        // Pages of a signed-in visitor contain the session's form token, so they are never compressed.
        None => compress::mark(&method, has_query, &mut response),
    }
    let shell = match response.extensions().get::<Failure>() {
        Some(Failure::Api(_)) => surroundings(&node, asked, known).await,
        _ => nobody(&node, &asked),
    };
    dressed(response, id, || shell)
}

/// The response for a browser: errors become pages, and security headers are set.
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

/// Keeps the list's query in redirects between pages about keys, so that the visitor returns to the same search.
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

/// The shell of an error page. A visitor sees the navigation of the organization in the path if they may know it,
/// otherwise of their own.
async fn surroundings(node: &Arc<Node>, mut asked: Parts, known: KnownShell) -> Shell {
    let known = match known.get() {
        Some(known) => Some(known),
        // The error came before the visitor was identified.
        None => {
            let visitor = Visitor::of(&mut asked, node).await.ok().flatten();
            visitor.map(|visitor| (visitor.shell, visitor.caller))
        }
    };
    let Some((shell, caller)) = known else { return nobody(node, &asked) };
    let path = asked.uri.path();
    let organization = named(node, &caller, path).await;
    match organization.or_else(|| caller.organization().cloned()) {
        Some(organization) => shell.at_path(&caller, &organization, path),
        None => shell,
    }
}

/// The organization in a path, if the caller may know it.
async fn named(node: &Arc<Node>, caller: &Caller, path: &str) -> Option<OrganizationId> {
    let (_, rest) = path.split_once("/console/orgs/")?;
    let organization: OrganizationId = rest.split('/').next()?.parse().ok()?;
    organizations::known(&node.records, caller, &organization).await.ok().map(|()| organization)
}
