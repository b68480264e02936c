//! Middleware around every response of the portal. It is the console's, but for frames: the origins in the settings may have
//! the portal in one, and cookies have to reach it there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::console::middleware;
use crate::node::Node;

/// The mark of a request for the portal.
#[derive(Clone, Copy, Debug)]
pub(in crate::console) struct InPortal;

/// Whether the request is for the portal.
pub(in crate::console) fn is_here(parts: &Parts) -> bool {
    parts.extensions.get::<InPortal>().is_some()
}

/// Middleware around every route of the portal.
pub(super) async fn around(state: State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let node = Arc::clone(&state.0);
    request.extensions_mut().insert(InPortal);
    let mut response = middleware::around(state, request, next).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(&node)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if is_framed(&node) {
        // It knows no list of origins, and the policy takes precedence in every browser that knows both.
        headers.remove(header::X_FRAME_OPTIONS);
        headers.remove("cross-origin-opener-policy");
    }
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, carried(&node, cookie));
    }
    response
}

/// Whether any page of another origin may have the portal in a frame.
fn is_framed(node: &Node) -> bool {
    !node.deployment.portal.frame_origins.is_empty()
}

fn policy(node: &Node) -> String {
    let origins: Vec<&str> =
        node.deployment.portal.frame_origins.iter().map(|origin| origin.as_str()).collect();
    let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
    middleware::POLICY.replace("frame-ancestors 'none'", &format!("frame-ancestors {ancestors}"))
}

/// How cookies of the portal travel: over TLS and in a frame, with every request to this server from inside that frame alone;
/// otherwise, whenever the browser shows the portal in a tab of its own.
pub(super) fn same_site(node: &Node) -> &'static str {
    let is_secure = node.deployment.issuer.starts_with("https:");
    if is_framed(node) && is_secure { "SameSite=None; Partitioned" } else { "SameSite=Lax" }
}

fn carried(node: &Node, cookie: HeaderValue) -> HeaderValue {
    let Ok(line) = cookie.to_str() else { return cookie };
    let carried = HeaderValue::from_str(&line.replace("SameSite=Strict", same_site(node)));
    carried
        .map(|mut carried| {
            carried.set_sensitive(true);
            carried
        })
        .unwrap_or(cookie)
}
