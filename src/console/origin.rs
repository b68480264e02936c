//! Checks the origin of a form. Only this server's own pages may submit forms.

use axum::http::{HeaderMap, Uri, header};

use crate::node::Node;
use crate::use_cases::management::{ApiError, Forbidden};

/// Checks that a form comes from a page of this server, by `Sec-Fetch-Site` (Fetch Metadata) and `Origin` (RFC 6454
/// §7). At least one must be present.
///
/// # Errors
/// [`ApiError::Forbidden`] for another origin, or without either header.
pub(super) fn check(node: &Node, headers: &HeaderMap) -> Result<(), ApiError> {
    check_at(&node.deployment.issuer, headers)
}

/// Like [`check`], for this issuer.
///
/// # Errors
/// Those of [`check`].
pub(super) fn check_at(issuer: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text("sec-fetch-site").map(|site| site == "same-origin");
    let origin = text("origin").map(|origin| is_ours(issuer, headers, origin));
    let is_told = site.is_some() || origin.is_some();
    if is_told && site.unwrap_or(true) && origin.unwrap_or(true) {
        return Ok(());
    }
    Err(Forbidden::ForeignForm.into())
}

/// Whether the origin is the issuer's or the requested host's. The two differ behind a proxy.
fn is_ours(issuer: &str, headers: &HeaderMap, origin: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let Some(authority) = origin.authority() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let issuer = issuer.parse::<Uri>().ok();
    let is_issuer = issuer
        .is_some_and(|issuer| issuer.scheme() == origin.scheme() && issuer.authority() == Some(authority));
    is_issuer || host.is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str()))
}
