//! Where a form was sent from: only this server's own pages may send any.

use axum::http::{HeaderMap, Uri, header};

use crate::node::Node;
use crate::use_cases::management::ApiError;

/// Whether a form comes from a page of this server's, as the browser tells: by `Sec-Fetch-Site` (Fetch Metadata), and
/// by `Origin` (RFC 6454 §7), of which at least one is there.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn check(node: &Node, headers: &HeaderMap) -> Result<(), ApiError> {
    check_at(&node.deployment.issuer, headers)
}

/// The same at a server of this issuer.
///
/// # Errors
/// As [`check`].
pub(super) fn check_at(issuer: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text("sec-fetch-site").map(|site| site == "same-origin");
    let origin = text("origin").map(|origin| is_ours(issuer, headers, origin));
    let is_told = site.is_some() || origin.is_some();
    if is_told && site.unwrap_or(true) && origin.unwrap_or(true) {
        return Ok(());
    }
    let message = "this form was not sent from a page of this server, so nothing was changed".into();
    Err(ApiError::Forbidden { message, scope: None })
}

/// Whether it is the issuer's origin, or that of the host which was asked: behind a proxy they differ.
fn is_ours(issuer: &str, headers: &HeaderMap, origin: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let Some(authority) = origin.authority() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let issuer = issuer.parse::<Uri>().ok();
    let is_issuer = issuer
        .is_some_and(|issuer| issuer.scheme() == origin.scheme() && issuer.authority() == Some(authority));
    is_issuer || host.is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str()))
}
