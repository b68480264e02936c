//! A good credential that does not allow what it is used for.

use std::sync::Arc;

use http::Response;

use super::challenge::Challenge;
use crate::domain::scope::{Resource, Verb};

/// A scope is missing.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .scope.as_ref().map_or("this is not a resource".to_owned(), |scope| format!("this requires the scope {scope}")))]
pub struct Denied {
    scope: Option<String>,
    challenge: Arc<Challenge>,
}

impl Denied {
    /// The scope that is missing; none where what was asked for is no resource.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The answer to the request: 403, with the challenge of RFC 6750 §3.
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
