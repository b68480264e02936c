//! Middleware for routes whose responses take long.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::sharing::background;

/// Handles the request on background threads.
pub(crate) async fn in_background(request: Request, next: Next) -> Response {
    background::run(next.run(request)).await
}
