//! Begins an attempt to sign in at an OpenID provider.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cross_site_link::navigate;
use super::fields::Fields;
use super::next_page::next_of;
use super::shell::{Shell, base};
use super::unsent_form::Unsent;
use super::{cookie, origin, page};
use crate::http::failure::Failure;
use crate::node::{Attempt, Node, Provider};
use crate::use_cases::management::ApiError;

/// The name of the cookie with the sealed attempt.
pub(super) const COOKIE: &str = "signin";

#[derive(Template)]
#[template(path = "sign_in_refused.html")]
struct RefusedPage {
    shell: Shell,
    message: String,
}

/// `POST /console/sign-in/with/{provider}`.
pub(super) async fn begin(
    State(node): State<Arc<Node>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let Path(name) = name.map_err(|_| ApiError::NotFound)?;
    let provider = node.sign_in.provider(&name).ok_or(ApiError::NotFound)?;
    let (parts, fields) = Fields::read_carrier(request).await?;
    let next = next_of(&base(&node), fields.text("next"));
    let mut attempt = attempt(&node, provider, next)?;
    attempt.earlier = cookie::read(&node, &parts.headers).map(|earlier| earlier.expose().to_string());
    attempt.form = Unsent::carried(&base(&node), &fields).map(Unsent::into_carried);
    lead_to(&node, provider, attempt).await
}

/// A new attempt, which leads to the page `next`.
pub(super) fn attempt(node: &Node, provider: &Provider, next: String) -> Result<Attempt, ApiError> {
    let now = node.clock.now();
    Attempt::new(&provider.settings.name, next, &node.records.entropy, now).map_err(ApiError::internal)
}

/// The page that leads to the provider, and the cookie that keeps the attempt. A redirect would do as well, but browsers
/// hold redirects after a form against `form-action` in the policy of the page with the form.
pub(super) async fn lead_to(
    node: &Node,
    provider: &Arc<Provider>,
    attempt: Attempt,
) -> Result<Response, Failure> {
    let way = way(node, provider, attempt).await?.ok_or_else(|| refused(node, unreachable(provider)))?;
    Ok(way.kept_on(node, navigate(way.url.clone())?))
}

/// The way to a provider.
pub(super) struct Way {
    /// The address at the provider.
    pub(super) url: String,
    /// Whether the browser keeps the form of the attempt.
    pub(super) is_form_kept: bool,
    sealed: String,
}

/// The way to the provider, or `None` when the provider can't be asked.
///
/// # Errors
/// [`ApiError::Internal`].
pub(super) async fn way(
    node: &Node,
    provider: &Arc<Provider>,
    mut attempt: Attempt,
) -> Result<Option<Way>, ApiError> {
    let url = match node.sign_in.authorization_url(provider, &attempt).await {
        Ok(url) => url,
        Err(fault) => {
            tracing::warn!(provider = provider.settings.name, %fault, "nobody can sign in at this provider");
            return Ok(None);
        }
    };
    let sealed = attempt.sealed(&base(node), &node.master_keys, &node.records.entropy);
    let sealed = sealed
        .map_err(ApiError::internal)?
        .ok_or_else(|| ApiError::internal("the attempt is too long for a cookie"))?;
    Ok(Some(Way { url, is_form_kept: attempt.form.is_some(), sealed }))
}

impl Way {
    /// The response with the cookie that keeps the attempt.
    pub(super) fn kept_on(&self, node: &Node, mut response: Response) -> Response {
        if let Some(kept) = cookie::with_lax(node, COOKIE, &self.sealed, Attempt::SECONDS) {
            response.headers_mut().append(SET_COOKIE, kept);
        }
        response
    }
}

/// What somebody is told whose provider does not answer as it should.
pub(super) fn unreachable(provider: &Provider) -> String {
    let label = &provider.settings.label;
    format!("{label} cannot sign anybody in at the moment. Try again later, or ask an administrator.")
}

/// The page for somebody who is not signed in.
pub(super) fn refused(node: &Node, message: String) -> Failure {
    let page = RefusedPage { shell: Shell::of_nobody(node), message };
    page::refused(&page, ApiError::Unauthenticated { presented: false })
}
