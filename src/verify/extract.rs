//! What axum's handlers can extract and return.

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::access::Access;
use super::denied::Denied;

/// A handler extracts an [`Access`], but no [`super::Protect`] stands in front of it. This is a mistake in the program.
/// It is logged and answered with 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handler takes an Access, but nothing in front of it verifies credentials")]
pub struct NoVerifier;

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = NoVerifier;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoVerifier> {
        parts.extensions.get().cloned().ok_or(NoVerifier)
    }
}

impl IntoResponse for NoVerifier {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        self.response::<Body>()
    }
}
