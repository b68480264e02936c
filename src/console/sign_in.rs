//! Signs a visitor in with an API key.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Response;

use super::fields::Fields;
use super::next_page::next_of;
use super::notice;
use super::page::see_other;
use super::problem::sentence;
use super::session::{Left, Visit};
use super::shell::{Shell, base};
use super::unsent_form::{self, Unsent};
use super::visitor::Visitor;
use super::{cookie, origin, page as answer, session};
use crate::domain::address::Origin;
use crate::http::credentials::ClientAddress;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::node::{ConsoleKeys, Node};
use crate::use_cases::management::ApiError;

/// The next page, and the reason for the sign-in.
const KNOWN: [&str; 2] = ["next", "why"];

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    next: String,
    /// The hidden fields that carry a form whose session had ended.
    unsent: Option<[(&'static str, String); 2]>,
    notice: Option<&'static str>,
    error: Option<String>,
    host: String,
    /// The prefix of this deployment's keys.
    brand: String,
    /// The providers at which members sign in: names and labels.
    providers: Vec<(String, String)>,
    /// Whether only recovery keys open the console.
    is_closed_to_keys: bool,
}

/// `GET /console/sign-in`.
pub(super) async fn page(State(node): State<Arc<Node>>, mut parts: Parts) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &KNOWN)?;
    let next = next_of(&base(&node), query.text("next").unwrap_or_default());
    if Visitor::of(&mut parts, &node).await?.is_some() {
        return Ok(see_other(&next));
    }
    let taken = notice::take(&node, &parts.headers, None, &format!("{}/sign-in", base(&node)));
    // A link can show this text, but it is true after any set-up.
    let set_up = if is_closed_to_keys(&node) {
        "Set-up is complete. The administrator key invites the first operator with the API."
    } else {
        "Set-up is complete. Sign in with the administrator key."
    };
    let said = taken.text().or_else(|| query.text("why").filter(|why| *why == "set-up").map(|_| set_up));
    Ok(taken.shown_on(answer::page(&SignInPage::new(&node, next, said))?))
}

/// `POST /console/sign-in`.
pub(super) async fn sign_in(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let (mut parts, fields) = Fields::read_carrier(request).await?;
    let ClientAddress(address) = ClientAddress::from_request_parts(&mut parts, &node).await?;
    let request_id = RequestId::of(&parts);
    let visit = Visit::new(Origin { address, request_id: request_id.as_str() }, &parts.headers);
    let next = next_of(&base(&node), fields.text("next"));
    let earlier = cookie::read(&node, &parts.headers);
    let unsent = Unsent::carried(&base(&node), &fields);
    match session::open(&node, fields.text("key"), earlier, visit).await {
        Ok((id, caller)) => {
            let mut response = match unsent {
                Some(unsent) => unsent_form::after_sign_in(
                    Shell::of(&node, &caller, &id, Left::whole(&caller, node.clock.now())),
                    unsent,
                )?,
                None => see_other(&next),
            };
            if let Some(kept) = cookie::keep(&node, &id) {
                response.headers_mut().insert(SET_COOKIE, kept);
            }
            Ok(response)
        }
        Err(error) => Err(again(&node, next, unsent, error)),
    }
}

/// Asks the visitor to sign in again after their session has ended, and keeps their form.
pub(super) fn with_unsent(node: &Node, unsent: Unsent) -> Failure {
    let notice = "Your session has ended. Sign in again to continue. What you entered is still here.";
    let page = SignInPage {
        unsent: Some(unsent.carriers()),
        ..SignInPage::new(node, unsent.path().to_owned(), Some(notice))
    };
    answer::refused(&page, ApiError::Unauthenticated { presented: false })
}

/// The form again without its input, which is a secret.
fn again(node: &Node, next: String, unsent: Option<Unsent>, error: ApiError) -> Failure {
    let said = match &error {
        ApiError::Unauthenticated { .. } => {
            "This key is not valid. Check that you pasted the whole key.".into()
        }
        ApiError::ProofRequired => {
            "This key cannot sign in. It requires DPoP, and a browser sends the key itself. Use another key."
                .into()
        }
        error => sentence(&error.message()),
    };
    let unsent = unsent.map(|unsent| unsent.carriers());
    let page = SignInPage { error: Some(said), unsent, ..SignInPage::new(node, next, None) };
    answer::refused(&page, error)
}

fn is_closed_to_keys(node: &Node) -> bool {
    node.deployment.sign_in_settings.console_keys == ConsoleKeys::RecoveryOnly
}

impl SignInPage {
    fn new(node: &Node, next: String, notice: Option<&'static str>) -> Self {
        let (issuer, brand) = (&node.deployment.issuer, node.deployment.brand.to_string());
        let host = issuer.split_once("://").map_or(issuer.as_str(), |(_, host)| host);
        Self {
            shell: Shell::of_nobody(node),
            next,
            unsent: None,
            notice,
            error: None,
            host: host.to_owned(),
            brand,
            providers: node
                .sign_in
                .providers()
                .iter()
                .map(|provider| (provider.settings.name.clone(), provider.settings.label.clone()))
                .collect(),
            is_closed_to_keys: is_closed_to_keys(node),
        }
    }
}
