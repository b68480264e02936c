//! Redeems an invitation: its code leads to the provider of the invitation.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::Response;

use super::fields::Fields;
use super::shell::{Shell, base};
use super::sign_in_attempt::{attempt, lead_to};
use super::{cookie, origin, page as answer};
use crate::http::credentials::ClientAddress;
use crate::http::failure::Failure;
use crate::node::Node;
use crate::use_cases::management::ApiError;
use crate::use_cases::sign_in::{SignInRefusal, invitation_digest, invited};

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    shell: Shell,
    error: Option<String>,
}

/// `GET /console/invitation`. The code is behind the `#` of the link, so it does not arrive here.
pub(super) async fn page(State(node): State<Arc<Node>>) -> Result<Response, Failure> {
    answer::page(&InvitationPage { shell: Shell::of_nobody(&node), error: None })
}

/// `POST /console/invitation`. Wrong codes are limited for each address, as wrong secrets are.
pub(super) async fn redeem(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let (mut parts, fields) = Fields::read_carrier(request).await?;
    let ClientAddress(address) = ClientAddress::from_request_parts(&mut parts, &node).await?;
    if let Some(seconds) = node.sign_in.wait(address) {
        return Err(ApiError::RateLimited(seconds).into());
    }
    let found = match invitation_digest(fields.text("code")) {
        Some(digest) => invited(&node, &digest).await.map(|member| (digest, member)),
        None => Err(SignInRefusal::Invitation),
    };
    let (digest, member) = match found {
        Ok(found) => found,
        Err(SignInRefusal::Store(error)) => return Err(ApiError::from(error).into()),
        Err(refusal) => {
            node.sign_in.guessed(address);
            return Err(again(&node, refusal.to_string()));
        }
    };
    let Some(provider) = node.sign_in.provider(&member.provider) else {
        return Err(again(
            &node,
            "The provider of this invitation is not set up. Ask an administrator.".into(),
        ));
    };
    let mut attempt = attempt(&node, provider, base(&node))?;
    attempt.invitation = Some(digest);
    attempt.earlier = cookie::read(&node, &parts.headers).map(|earlier| earlier.expose().to_string());
    lead_to(&node, provider, attempt).await
}

fn again(node: &Node, message: String) -> Failure {
    let page = InvitationPage { shell: Shell::of_nobody(node), error: Some(message) };
    answer::refused(&page, ApiError::Unauthenticated { presented: false })
}
