//! The answer with one page of a list.

use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Some items of a list, and the cursor of the next page; `null` on the last page.
#[derive(Serialize)]
pub(super) struct ListAnswer<T> {
    pub(super) data: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

impl<T: Serialize> IntoResponse for ListAnswer<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}
