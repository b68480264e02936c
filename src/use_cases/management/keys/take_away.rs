//! Takes credentials away from keys.

use super::{KeyPath, find_to, update};
use crate::base::clock::Timestamp;
use crate::domain::key::{ApiKey, CredentialId, PublicKeyId, TrustRuleId};
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::last_admin::ensure_admin_remains;
use crate::use_cases::management::portal_bounds::KeyAct;
use crate::use_cases::management::{ApiError, Conflict, Force};

/// Removes a public key of a key. All tokens of the key are no longer valid, whichever credential they were issued for.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed. [`ApiError::Conflict`] when no other credential of the key works.
pub async fn remove_public_key(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    public_key: PublicKeyId,
    force: Force,
) -> Result<(), ApiError> {
    remove(records, caller, path, (public_key.into(), "public_key.remove"), force).await
}

/// Removes a trust rule of a key. All tokens of the key are no longer valid, whichever credential they were issued for.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed. [`ApiError::Conflict`] when no other credential of the key works.
pub async fn remove_rule(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    rule: TrustRuleId,
    force: Force,
) -> Result<(), ApiError> {
    remove(records, caller, path, (rule.into(), "trust_rule.remove"), force).await
}

async fn remove(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    (credential, action): (CredentialId, &'static str),
    force: Force,
) -> Result<(), ApiError> {
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = find_to(&mut write, caller, path, KeyAct::ChangeWaysIn).await?;
    let after = without(&before, credential, write.at())?;
    ensure_admin_remains(&mut write, caller, &[(&before, Some(&after))], force).await?;
    write.retire_credential(credential).await?;
    update(&mut write, action, &before, &after).await?;
    Ok(records.commit(write).await?)
}

/// The key without one of its credentials, which it has to have, and which must not be the last one that works.
pub(super) fn without(key: &ApiKey, credential: CredentialId, now: Timestamp) -> Result<ApiKey, ApiError> {
    let after = key.without(credential).ok_or(ApiError::NotFound)?;
    match after.live_credentials(now) {
        0 => Err(Conflict::LastCredential.into()),
        _ => Ok(after),
    }
}
