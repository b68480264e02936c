//! Errors for a valid credential that does not allow the action.

use std::sync::Arc;

use http::Response;

use super::challenge::Challenge;
use crate::domain::scope::{Resource, Verb};

/// The credential does not allow the action.
///
/// ```
/// use claviger::verify::{Access, Verb};
///
/// fn answer(access: &Access) -> http::Response<String> {
///     match access.require(Verb::Write, "orders/7") {
///         Ok(()) => http::Response::new("written".to_owned()),
///         // 403, and the challenge names the scope `write:orders/7`.
///         Err(denied) => denied.response(),
///     }
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .scope.as_ref().map_or("this is not a resource".to_owned(), |scope| format!("this requires the scope {scope}")))]
pub struct Denied {
    scope: Option<String>,
    challenge: Arc<Challenge>,
}

impl Denied {
    /// The missing scope. `None` if the requested text is not a resource.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The response to the request: 403, with the challenge of RFC 6750 §3.
    pub fn response<B: From<String>>(&self) -> Response<B> {
        self.challenge.denied(self.scope(), &self.to_string())
    }

    pub(super) fn missing(action: Verb, resource: &Resource, challenge: Arc<Challenge>) -> Self {
        Self { scope: Some(format!("{action}:{resource}")), challenge }
    }

    pub(super) fn no_resource(challenge: Arc<Challenge>) -> Self {
        Self { scope: None, challenge }
    }
}
