//! How a request for the portal is recognized, and how the portal's cookies travel.

use axum::http::request::Parts;

use crate::node::Node;

/// The mark of a request for the portal.
#[derive(Clone, Copy, Debug)]
pub(in crate::console) struct InPortal;

/// Whether the request is for the portal.
pub(in crate::console) fn is_here(parts: &Parts) -> bool {
    parts.extensions.get::<InPortal>().is_some()
}

/// Whether any page of another origin may have the portal in a frame.
pub(in crate::console) fn is_framed(node: &Node) -> bool {
    !node.deployment.portal.frame_origins.is_empty()
}

/// How cookies of the portal travel: over TLS and in a frame, with every request to this server from inside that frame alone;
/// otherwise, whenever the browser shows the portal in a tab of its own.
pub(in crate::console) fn same_site(node: &Node) -> &'static str {
    let is_secure = node.deployment.issuer.starts_with("https:");
    if is_framed(node) && is_secure { "SameSite=None; Partitioned" } else { "SameSite=Lax" }
}
