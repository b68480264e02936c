//! Middleware that follows the caller of a management operation. It records denied scopes in the audit trail, and holds
//! the caller's permit among its organization's concurrent requests.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::body_permit::holding;
use super::failure::Failure;
use crate::node::Node;
use crate::sharing::fair_queue::Permit;
use crate::use_cases::access::Caller;
use crate::use_cases::management::ApiError;

/// The caller of a request. It is empty until the caller is authenticated.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownCaller(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    caller: OnceLock<(Arc<Node>, Caller)>,
    place: OnceLock<Permit>,
}

impl KnownCaller {
    /// Takes a permit among the organization's concurrent requests, and keeps it until the response is sent. Also
    /// remembers the caller for the middleware, which sees the response.
    ///
    /// # Errors
    /// [`ApiError::TooManyConcurrent`] when the organization has no permit left.
    pub(crate) fn admit(&self, node: &Arc<Node>, caller: &Caller) -> Result<(), ApiError> {
        let _ = self.0.place.set(node.requests.try_acquire(&caller.principal())?);
        let _ = self.0.caller.set((Arc::clone(node), caller.clone()));
        Ok(())
    }
}

/// Marks a response to a caller whose credential is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identified;

/// The delay of a 429 for too many concurrent requests. Without it, a client that ignores `Retry-After` and retries at once
/// over many connections uses up a processor.
const TOO_MANY_AFTER: Duration = Duration::from_millis(25);

/// Middleware around the management operations: records each 403 `forbidden` in the audit trail, and delays each 429 for
/// too many concurrent requests.
pub(crate) async fn noted(mut request: Request, next: Next) -> Response {
    let known = KnownCaller::default();
    request.extensions_mut().insert(known.clone());
    let mut response = next.run(request).await;
    if known.0.caller.get().is_some() {
        response.extensions_mut().insert(Identified);
    }
    let error = match response.extensions().get() {
        Some(Failure::Api(error) | Failure::Html { error, .. }) => Some(error),
        _ => None,
    };
    match error {
        Some(ApiError::Forbidden(reason)) => {
            if let Some((node, caller)) = known.0.caller.get() {
                let missing = reason.scope().map_or_else(|| reason.to_string(), str::to_owned);
                let key = caller.own_key().map(|key| key.id);
                node.usage.refusals.denied(caller.actor(), key, &missing, node.clock.now());
            }
        }
        Some(ApiError::TooManyConcurrent) => tokio::time::sleep(TOO_MANY_AFTER).await,
        _ => {}
    }
    holding(response, known)
}
