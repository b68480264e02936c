//! Revoking a key: at this node, dead from the moment that it is acknowledged.

use std::sync::Arc;

use super::{KeyPath, find};
use crate::access::Caller;
use crate::key::{ApiKey, words};
use crate::management::ApiError;
use crate::node::Node;
use crate::scope::Verb;

/// Revokes a key and returns it as it is now. One that was revoked before stays as it was.
///
/// # Errors
/// [`ApiError`]. After [`ApiError::Unavailable`] the key may have been revoked or not: ask again.
pub async fn revoke(
    node: &Arc<Node>,
    caller: &Caller,
    path: KeyPath,
    reason: Option<String>,
    request_id: String,
) -> Result<ApiKey, ApiError> {
    find(node, caller, &path, Verb::Write).await?;
    let reason = reason.map(words::reason).transpose();
    let reason = reason.map_err(|error| ApiError::InvalidRequest(error.to_string()))?;
    let actor = caller.actor(request_id);
    let (node, now) = (Arc::clone(node), node.clock.now());
    let revoked = Node::see_through(async move {
        let revoked =
            node.store.revoke_key(&path.organization, &path.key, reason.as_deref(), now, &actor).await;
        // Whatever was said: after an error it may have been committed all the same.
        node.keys.forget(&path.key);
        revoked
    });
    revoked.await.ok_or_else(|| ApiError::internal("revoking a key panicked"))??.ok_or(ApiError::NotFound)
}
