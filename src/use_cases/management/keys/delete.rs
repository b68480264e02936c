//! Deletes a key.

use super::{KeyPath, find_to, record};
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::last_admin::ensure_admin_remains;
use crate::use_cases::management::portal_bounds::KeyAct;
use crate::use_cases::management::{ApiError, Force};

/// Deletes a key, with the effect of a revocation. The audit events of the key stay.
///
/// # Errors
/// [`ApiError`]. Then the key has not changed.
pub async fn delete(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    force: Force,
) -> Result<(), ApiError> {
    let now = records.clock.now();
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to(&mut write, caller, path, KeyAct::Delete).await?;
    ensure_admin_remains(&mut write, caller, &[(&before, None)], force).await?;
    write.delete_key(&before.id).await?;
    write.withdraw_generations(&[(before.id, before.generation + 1)]).await?;
    record(&mut write, "key.delete", Some(&before), None).await?;
    Ok(records.commit(write).await?)
}
