//! Deleting a key.

use std::sync::Arc;

use super::{KeyPath, find_to_change, record};
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::last_admin::ensure_admin_remains;

/// Deletes a key, which ends it as a revocation does. Its audit events stay.
///
/// # Errors
/// [`ApiError`]; the key is then as it was.
pub async fn delete(node: &Arc<Node>, caller: &Caller, path: &KeyPath, force: bool) -> Result<(), ApiError> {
    let now = node.clock.now();
    let mut write = node.store.write(now, &caller.actor()).await?;
    let before = find_to_change(&mut write, caller, path).await?;
    ensure_admin_remains(&mut write, caller, &[(&before, None)], force).await?;
    write.delete_key(&before.id).await?;
    write.withdraw_generations(&[(before.id, before.generation + 1)]).await?;
    record(&mut write, "key.delete", Some(&before), None).await?;
    Ok(node.commit(write).await?)
}
