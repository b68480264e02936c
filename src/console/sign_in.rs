//! Signing in with an API key, and out again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Response;

use super::fields::Fields;
use super::page::{address, see_other};
use super::posted::Posted;
use super::problem::sentence;
use super::shell::{Shell, base};
use super::visitor::Visitor;
use super::{cookie, origin, page as answer, session};
use crate::address::Origin;
use crate::http::credentials::CameFrom;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::management::ApiError;
use crate::node::Node;

/// Where to go on, and why one is here.
const KNOWN: [&str; 2] = ["next", "why"];

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    next: String,
    notice: Option<&'static str>,
    error: Option<String>,
    host: String,
    /// What the keys of this deployment begin with.
    brand: String,
}

/// `GET /console/sign-in`.
pub(super) async fn page(State(node): State<Arc<Node>>, mut parts: Parts) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &KNOWN)?;
    let next = next_of(&base(&node), query.text("next").unwrap_or_default());
    if Visitor::of(&mut parts, &node).await?.is_some() {
        return Ok(see_other(&next));
    }
    let notice = match query.text("why") {
        Some("over") => Some("Your session has ended. Sign in again to continue where you left off."),
        Some("set-up") => Some("Set-up is complete. Sign in with the administrator key."),
        Some("out") => Some("You have signed out."),
        _ => None,
    };
    answer::page(&SignInPage::new(&node, next, notice))
}

/// `POST /console/sign-in`.
pub(super) async fn sign_in(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let (mut parts, _, fields) = Fields::read(request).await?;
    let CameFrom(address) = CameFrom::from_request_parts(&mut parts, &node).await?;
    let request_id = RequestId::of(&parts);
    let origin = Origin { address, request_id: request_id.as_str() };
    let next = next_of(&base(&node), fields.text("next"));
    let earlier = cookie::read(&node, &parts.headers);
    match session::open(&node, fields.text("key"), earlier, origin).await {
        Ok(id) => {
            let mut response = see_other(&next);
            if let Some(kept) = cookie::keep(&node, &id) {
                response.headers_mut().insert(SET_COOKIE, kept);
            }
            Ok(response)
        }
        Err(error) => Err(again(&node, next, error)),
    }
}

/// `POST /console/sign-out`.
pub(super) async fn sign_out(State(node): State<Arc<Node>>, posted: Posted) -> Result<Response, Failure> {
    let visitor = posted.visitor;
    session::close(&node, &visitor.caller, &visitor.session).await?;
    let mut response = see_other(&format!("{}/sign-in?why=out", visitor.shell.base));
    if let Some(forgotten) = cookie::forget(&node) {
        response.headers_mut().insert(SET_COOKIE, forgotten);
    }
    Ok(response)
}

/// The path of the page, from which one goes on to the path `wanted`.
pub(super) fn path(base: &str, wanted: Option<&str>, was_in: bool) -> String {
    let next = wanted.map(|wanted| next_of(base, wanted)).filter(|next| next != base).unwrap_or_default();
    let why = if was_in { "over" } else { "" };
    address(&format!("{base}/sign-in"), [("next", &*next), ("why", why)])
}

/// The form again, without what was typed: it is a secret.
fn again(node: &Node, next: String, error: ApiError) -> Failure {
    let said = match &error {
        ApiError::Unauthenticated { .. } => {
            "This key is not valid. Check that you pasted the whole key.".into()
        }
        error => sentence(&error.message()),
    };
    let page = SignInPage { error: Some(said), ..SignInPage::new(node, next, None) };
    answer::refused(&page, error)
}

impl SignInPage {
    fn new(node: &Node, next: String, notice: Option<&'static str>) -> Self {
        let (issuer, brand) = (&node.deployment.issuer, node.deployment.brand.to_string());
        let host = issuer.split_once("://").map_or(issuer.as_str(), |(_, host)| host);
        Self { shell: Shell::of_nobody(node), next, notice, error: None, host: host.to_owned(), brand }
    }
}

/// `wanted`, if it is a page of the console's; else where one comes in. Nobody is led elsewhere from here.
fn next_of(base: &str, wanted: &str) -> String {
    let rest = wanted.strip_prefix(base);
    let is_below = rest.is_some_and(|rest| rest.starts_with(['/', '?']));
    let is_plain = wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_sign = rest.is_some_and(|rest| rest.starts_with("/sign-"));
    if is_below && is_plain && !is_sign { wanted.to_owned() } else { base.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_within_the_console_only() {
        for good in ["/console/orgs/a/keys?q=x", "/console?x"] {
            assert_eq!(next_of("/console", good), good);
        }
        for bad in [
            "",
            "/console",
            "/consoles",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "https://elsewhere.example/console/",
            "/console/\\elsewhere",
            "/console/a\nb",
            "/console/é",
            "/console/sign-in",
            "/console/sign-out",
            "/v1/orgs",
            "javascript:alert(1)",
        ] {
            assert_eq!(next_of("/console", bad), "/console", "{bad}");
        }
        assert_eq!(
            path("/console", Some("/console/a?b=c"), true),
            "/console/sign-in?next=%2Fconsole%2Fa%3Fb%3Dc&why=over"
        );
        assert_eq!(path("/console", Some("/console"), false), "/console/sign-in");
    }
}
