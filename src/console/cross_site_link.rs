//! Links on other sites. A browser sends the session's cookie only with requests from this site (`SameSite=Strict`), so
//! whoever follows a link in a chat or a mail would have to sign in again. Their first request gets a page that goes on
//! by itself: what it asks for next comes from here, and has the cookie.

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

/// The page that goes on to what was asked for; `None` when the request can be answered as it is.
///
/// It leads by way of the sign-in page, which passes on whoever has a session. That page never answers like this, so no
/// browser goes round in circles.
pub(super) fn over(parts: &Parts, node: &Node) -> Option<Result<Response, Failure>> {
    let wanted = parts.uri.path_and_query()?.as_str();
    let is_followed = parts.method == Method::GET && is_from_another_site(&parts.headers);
    is_followed.then(|| page(&BouncePage { to: sign_in_path(&base(node), Some(wanted)) }))
}

/// Whether a link on another site was followed (Fetch Metadata). Pictures, frames and scripts of other sites are nothing
/// of the kind, and a browser that does not tell is answered as before.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    says("sec-fetch-site", "cross-site")
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}
