//! The page that follows a sign-in at a provider.

use std::sync::Arc;

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookie;
use super::cross_site_link::navigate;
use super::session::{Left, SessionId};
use super::shell::{Shell, base};
use super::unsent_form::{self, Unsent};
use crate::http::failure::Failure;
use crate::node::Node;
use crate::use_cases::access::Caller;

/// The page that a new session leads to: the form that waits, or else the page `next`. It sets the session's cookie.
///
/// # Errors
/// [`Failure`] when the page can't be rendered.
pub(super) fn led_on(
    node: &Arc<Node>,
    (id, caller): (SessionId, Caller),
    (next, form): (String, Option<(String, String)>),
) -> Result<Response, Failure> {
    let mut response = match Unsent::carried_by(&base(node), form) {
        Some(unsent) => {
            let left = Left::whole(&caller, node.clock.now());
            unsent_form::after_sign_in(Shell::of(node, &caller, &id, left), unsent)?
        }
        // The request may have come from the provider's site, and a browser keeps a strict cookie back from whatever it is
        // redirected to. A page of ours that navigates on does not have that effect.
        None => navigate(next)?,
    };
    if let Some(kept) = cookie::keep(node, &id) {
        response.headers_mut().append(SET_COOKIE, kept);
    }
    Ok(response)
}
