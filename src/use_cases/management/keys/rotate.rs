//! Rotates and retires the secrets of a key.

use serde::Deserialize;

use super::take_away::without;
use super::{CreatedKey, KeyPath, find_to, update};
use crate::base::clock::Timestamp;
use crate::domain::key::{ApiKey, SecretId};
use crate::node::{KeyMinter, Records};
use crate::store::Write;
use crate::use_cases::access::Caller;
use crate::use_cases::management::ceiling::may_hand_out;
use crate::use_cases::management::idempotency::IdempotencyGuard;
use crate::use_cases::management::portal_bounds::KeyAct;
use crate::use_cases::management::{ApiError, Conflict, Idempotent, IdempotentRequest, InvalidRequest};

/// The longest overlap, in seconds: 30 days.
const MAX_OVERLAP: i64 = 2_592_000;

/// The body of a rotation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with overlap_seconds")]
pub struct Rotation {
    /// For how many seconds the present secrets stay valid.
    overlap_seconds: i64,
}

/// Gives a key a new secret. The earlier secrets stay valid for the overlap. With an overlap of 0, they are retired at
/// once, and tokens of the key are no longer valid.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] for a revoked key, and when two secrets are already live.
pub async fn rotate(
    records: &Records,
    minter: &KeyMinter,
    caller: &Caller,
    path: &KeyPath,
    rotation: &Rotation,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<CreatedKey>, ApiError> {
    let overlap = rotation.overlap_seconds;
    if !(0..=MAX_OVERLAP).contains(&overlap) {
        return Err(InvalidRequest::Overlap(MAX_OVERLAP).into());
    }
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    // Hashing is slow, so it happens before this request's turn to write.
    let seen = super::find_for(records, caller, path, KeyAct::Rotate).await?;
    let now = records.clock.now();
    let (secret, plain) = minter.secret(&seen, now).await?;
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to(&mut write, caller, path, KeyAct::Rotate).await?;
    may_hand_out(caller, &before)?;
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    if before.revoked.is_some() {
        return Err(Conflict::KeyRevoked.into());
    }
    if overlap > 0 && before.live_secrets(now).count() >= ApiKey::MAX_LIVE_SECRETS {
        return Err(Conflict::TwoLiveSecrets.into());
    }
    let mut after = end_secrets(&mut write, &before, overlap).await?;
    write.insert_credential(&before.id, &secret).await?;
    after.secrets.push(secret);
    update(&mut write, "key.rotate", &before, &after).await?;
    guard.save(&mut write, &after.view_with(now, None)).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(CreatedKey { key: after, plain: Some(plain) }))
}

/// The key with its secrets ending after the overlap, or without those that end now.
async fn end_secrets(write: &mut Write, before: &ApiKey, overlap: i64) -> Result<ApiKey, ApiError> {
    let (now, end) = (write.at(), write.at().plus(overlap));
    let mut after = before.clone();
    for secret in &before.secrets {
        if overlap == 0 || !is_live(secret.expires_at, now) {
            write.retire_credential(secret.id.into()).await?;
            after.secrets.retain(|kept| kept.id != secret.id);
        } else if is_live(secret.expires_at, end) {
            write.end_secret(secret.id, Some(end)).await?;
            after.secrets.iter_mut().filter(|kept| kept.id == secret.id).for_each(|kept| {
                kept.expires_at = Some(end);
            });
        }
    }
    after.generation += u64::from(overlap == 0);
    Ok(after)
}

fn is_live(end: Option<Timestamp>, at: Timestamp) -> bool {
    end.is_none_or(|end| at < end)
}

/// The outcome of retiring a secret.
#[derive(Debug)]
pub struct Retirement {
    /// The key after the change.
    pub key: ApiKey,
    /// The secret that lost its end, because its replacement was retired.
    pub kept: Option<SecretId>,
}

/// Retires one secret of a key before its end. All tokens of the key are no longer valid, whichever secret they were
/// issued for.
///
/// Retiring the secret that was to replace another undoes the rotation. Otherwise the other secret would end
/// unannounced, and the key would stop working, so that secret loses its end. This requires the rights of a rotation.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when no other credential of the key works.
pub async fn retire(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    secret: SecretId,
) -> Result<Retirement, ApiError> {
    let now = records.clock.now();
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to(&mut write, caller, path, KeyAct::Rotate).await?;
    if !before.live_secrets(now).any(|live| live.id == secret) {
        return Err(ApiError::NotFound);
    }
    let mut after = without(&before, secret.into(), now)?;
    write.retire_credential(secret.into()).await?;
    let left_ends = after.live_secrets(now).any(|left| left.expires_at.is_some());
    let is_lasting = after.live_secrets(now).any(|left| left.expires_at.is_none());
    let kept =
        if is_lasting || !left_ends { None } else { keep_newest(&mut write, caller, &mut after).await? };
    update(&mut write, "secret.retire", &before, &after).await?;
    records.commit(write).await?;
    Ok(Retirement { key: after, kept })
}

/// Removes the end of a key's newest secret.
async fn keep_newest(
    write: &mut Write,
    caller: &Caller,
    key: &mut ApiKey,
) -> Result<Option<SecretId>, ApiError> {
    may_hand_out(caller, key)?;
    let Some(newest) = key.secrets.last_mut() else { return Ok(None) };
    newest.expires_at = None;
    write.end_secret(newest.id, None).await?;
    Ok(Some(newest.id))
}
