//! Ends a session.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::notice::Notice;
use super::submitted_form::SubmittedForm;
use super::{cookie, session};
use crate::http::failure::Failure;
use crate::node::Node;

/// `POST /console/sign-out`.
pub(super) async fn sign_out(
    State(node): State<Arc<Node>>,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let visitor = submitted.visitor;
    session::close(&node, &visitor.caller, &visitor.session).await?;
    let mut response = Notice::SignedOut.at(&node, None, &format!("{}/sign-in", visitor.shell.base));
    if let Some(cleared) = cookie::clear(&node) {
        response.headers_mut().append(SET_COOKIE, cleared);
    }
    Ok(response)
}
