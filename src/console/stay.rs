//! Keeps a session that is about to end.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::submitted_form::SubmittedForm;

/// `POST /console/session`: the request itself is the use that keeps the session. Answers how long it lasts from now.
pub(super) async fn stay(submitted: SubmittedForm) -> Response {
    let left = submitted.visitor.shell.who.map(|who| who.left).unwrap_or_default();
    ([(header::CACHE_CONTROL, "no-store")], Json(left)).into_response()
}
