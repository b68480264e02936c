//! Revokes a key, at once and for good.

use super::{KeyPath, find_to, update};
use crate::domain::key::{ApiKey, labels};
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::last_admin::ensure_admin_remains;
use crate::use_cases::management::portal_bounds::KeyAct;
use crate::use_cases::management::{ApiError, Force, InvalidRequest};

/// Revokes a key and returns its new state. A key that is already revoked stays as it is, including its reason and its
/// time.
///
/// # Errors
/// [`ApiError`]. After [`ApiError::Unavailable`], the key may be revoked or not: try again.
pub async fn revoke(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    reason: Option<String>,
    force: Force,
) -> Result<ApiKey, ApiError> {
    let reason = reason.map(labels::reason).transpose().map_err(InvalidRequest::Reason)?;
    let now = records.clock.now();
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to(&mut write, caller, path, KeyAct::Revoke).await?;
    if before.revoked.is_some() {
        return Ok(before);
    }
    let after = before.clone().revoke(now, reason);
    ensure_admin_remains(&mut write, caller, &[(&before, Some(&after))], force).await?;
    update(&mut write, "key.revoke", &before, &after).await?;
    records.commit(write).await?;
    Ok(after)
}
