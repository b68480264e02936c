//! Handles links from other sites.
//!
//! The session cookie is `SameSite=Strict`, so a browser does not send it when somebody follows a link from a chat or a
//! mail, and they would have to sign in again. Their first request therefore gets a page that navigates on by itself.
//! That second request comes from this site and has the cookie.

use askama::Template;
use axum::http::Method;
use axum::http::header::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;

use super::next_page::sign_in_path;
use super::page::page;
use super::shell::base;
use crate::http::failure::Failure;
use crate::node::Node;

#[derive(Template)]
#[template(path = "bounce.html")]
struct BouncePage {
    to: String,
}

/// The page that navigates on to the requested page, or `None` when the request can be answered directly.
///
/// It navigates to the sign-in page, which forwards a visitor who has a session. The sign-in page never answers this
/// way, so there is no redirect loop.
pub(super) fn over(parts: &Parts, node: &Node) -> Option<Result<Response, Failure>> {
    let wanted = parts.uri.path_and_query()?.as_str();
    let is_followed = parts.method == Method::GET && is_from_another_site(&parts.headers);
    is_followed.then(|| navigate(sign_in_path(&base(node), Some(wanted))))
}

/// The page that navigates to `to` by itself.
///
/// # Errors
/// Those of [`page`].
pub(super) fn navigate(to: String) -> Result<Response, Failure> {
    page(&BouncePage { to })
}

/// Whether the request follows a link on another site (Fetch Metadata). Embedded pictures, frames and scripts do not
/// count. A browser that sends no metadata gets the direct answer.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    says("sec-fetch-site", "cross-site")
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}
