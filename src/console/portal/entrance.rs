//! The way into the portal: the page that takes the code from behind `#`, and the page after the end of a session.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::place::same_site;
use super::session;
use crate::console::fields::Fields;
use crate::console::origin;
use crate::console::page::{page as answer, refused, see_other};
use crate::console::problem::sentence;
use crate::console::shell::Shell;
use crate::domain::address::Origin;
use crate::http::credentials::ClientAddress;
use crate::http::failure::Failure;
use crate::http::request_id::RequestId;
use crate::node::Node;
use crate::use_cases::management::{ApiError, Forbidden};

#[derive(Template)]
#[template(path = "portal_entrance.html")]
struct EntrancePage {
    shell: Shell,
    /// Where the form goes.
    action: String,
    /// The attributes with which a script tries whether cookies stick.
    same_site: &'static str,
    error: Option<String>,
}

/// `GET /portal`.
pub(in crate::console) async fn page(State(node): State<Arc<Node>>) -> Result<Response, Failure> {
    answer(&EntrancePage::new(&node, None))
}

/// `POST /portal`: exchanges a code for a session.
pub(in crate::console) async fn open(
    State(node): State<Arc<Node>>,
    request: Request,
) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let (parts, fields) = Fields::read_carrier(request).await?;
    let ClientAddress(address) = ClientAddress::by(&node.deployment.addresses, &parts)?;
    let request_id = RequestId::of(&parts);
    let origin = Origin { address, request_id: request_id.as_str() };
    match session::open(&node, fields.text("code"), origin).await {
        Ok((id, organization)) => {
            let shell = Shell::of_nobody_in_portal(&node);
            let mut response = see_other(&format!("{}/keys", shell.root(&organization)));
            if let Some(kept) = session::keep(&node, &id) {
                response.headers_mut().append(SET_COOKIE, kept);
            }
            Ok(response)
        }
        Err(error @ (ApiError::Forbidden(Forbidden::DeadPortalCode) | ApiError::RateLimited(_))) => {
            Err(refused(&EntrancePage::new(&node, Some(sentence(&error.message()))), error))
        }
        Err(error) => Err(error.into()),
    }
}

impl EntrancePage {
    fn new(node: &Node, error: Option<String>) -> Self {
        let shell = Shell::of_nobody_in_portal(node);
        Self { action: shell.base.clone(), shell, same_site: same_site(node), error }
    }
}

/// The page of somebody whose session has ended, or whose browser did not keep the cookie.
#[derive(Template)]
#[template(path = "portal_ended.html")]
pub(in crate::console) struct Ended {
    shell: Shell,
}

impl Ended {
    pub(in crate::console) fn page(node: &Node) -> Response {
        let ended = Self { shell: Shell::of_nobody_in_portal(node) };
        refused(&ended, ApiError::Unauthenticated { presented: false }).into_response()
    }
}

/// The shell of a request by nobody who is known.
pub(in crate::console) fn nobody(node: &Node, parts: &Parts) -> Shell {
    if super::is_here(parts) { Shell::of_nobody_in_portal(node) } else { Shell::of_nobody(node) }
}
