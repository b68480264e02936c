//! A form that somebody sent from a page of theirs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};

use super::fields::Fields;
use super::origin;
use super::visitor::Visitor;
use crate::http::failure::Failure;
use crate::management::{ApiError, Repeatable};
use crate::node::Node;

/// A form, by whom, and that it is really theirs.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
    path: String,
    body: Bytes,
}

/// The field with what only a page of the session's can know.
const TOKEN: &str = "token";

/// The field that tells one filling-in of a form from another.
const FORM: &str = "form";

impl FromRequest<Arc<Node>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Response> {
        origin::check(node, request.headers()).map_err(answer)?;
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, node).await?;
        let (parts, body, fields) = Fields::read(Request::from_parts(parts, body)).await.map_err(answer)?;
        if !visitor.session.has_form_token(fields.text(TOKEN)) {
            let message =
                "this form belongs to another session. Go back, reload the page and submit the form again";
            return Err(answer(ApiError::Forbidden { message: message.into(), scope: None }));
        }
        Ok(Self { visitor, fields, path: parts.uri.path().to_owned(), body })
    }
}

impl Posted {
    /// How the same form is known if it comes twice.
    pub(super) fn repeatable(&self) -> Option<Repeatable> {
        let form = self.fields.text(FORM);
        (!form.is_empty()).then(|| Repeatable::new("POST", &self.path, form, &self.body))
    }
}

fn answer(error: ApiError) -> Response {
    Failure::from(error).into_response()
}
