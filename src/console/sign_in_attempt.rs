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
    attempt.form = Unsent::carried(&base(&node), &fields).map(|unsent| {
        let [(_, path), (_, typed)] = unsent.carriers();
        (path, typed)
    });
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
    mut attempt: Attempt,
) -> Result<Response, Failure> {
    let url = match node.sign_in.authorization_url(provider, &attempt).await {
        Ok(url) => url,
        Err(fault) => {
            tracing::warn!(provider = provider.settings.name, %fault, "nobody can sign in at this provider");
            return Err(unreachable(node, provider));
        }
    };
    let entropy = &node.records.entropy;
    let seal = |attempt: &Attempt| attempt.sealed(&node.master_keys, entropy).map_err(ApiError::internal);
    let sealed = match seal(&attempt)? {
        Some(sealed) => sealed,
        None => {
            // A form that is too long for a cookie is not kept.
            attempt.form = None;
            attempt.next = base(node);
            seal(&attempt)?.ok_or_else(|| ApiError::internal("the attempt is too long for a cookie"))?
        }
    };
    let mut response = navigate(url)?;
    if let Some(kept) = cookie::with_lax(node, COOKIE, &sealed, Attempt::SECONDS) {
        response.headers_mut().append(SET_COOKIE, kept);
    }
    Ok(response)
}

/// The page for somebody whose provider does not answer as it should.
pub(super) fn unreachable(node: &Node, provider: &Provider) -> Failure {
    let label = &provider.settings.label;
    refused(
        node,
        format!("{label} cannot sign anybody in at the moment. Try again later, or ask an administrator."),
    )
}

/// The page for somebody who is not signed in.
pub(super) fn refused(node: &Node, message: String) -> Failure {
    let page = RefusedPage { shell: Shell::of_nobody(node), message };
    page::refused(&page, ApiError::Unauthenticated { presented: false })
}
