//! Notes whom a scope was missing, for the audit trail.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::failure::Failure;
use crate::access::Caller;
use crate::address::Origin;
use crate::management::ApiError;
use crate::node::Node;

/// The caller of a request, once it has told who it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownCaller(Arc<OnceLock<(Arc<Node>, Caller)>>);

impl KnownCaller {
    /// Keeps the caller for whoever comes to know what it was answered.
    pub(crate) fn set(&self, node: &Arc<Node>, caller: &Caller) {
        let _ = self.0.set((Arc::clone(node), caller.clone()));
    }
}

/// Marks the answer to a caller whose credential was good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identified;

/// Around the operations of the management API: what is answered 403 `forbidden` is noted.
pub(crate) async fn noted(mut request: Request, next: Next) -> Response {
    let known = KnownCaller::default();
    request.extensions_mut().insert(known.clone());
    let mut response = next.run(request).await;
    if known.0.get().is_some() {
        response.extensions_mut().insert(Identified);
    }
    if let Some(Failure::Api(error) | Failure::Page { error, .. }) = response.extensions().get()
        && let ApiError::Forbidden { message, scope } = error
        && let Some((node, caller)) = known.0.get()
    {
        let origin = Origin { address: caller.address, request_id: &caller.request_id };
        let missing = scope.as_ref().unwrap_or(message);
        node.usage.refusals.denied(&caller.key.key, missing, origin, node.clock.now());
    }
    response
}
