//! Privilege ceilings: callers can't grant rights that they do not have.

use super::{ApiError, Forbidden};
use crate::base::text::redacted;
use crate::domain::key::ApiKey;
use crate::domain::scope::Scopes;
use crate::use_cases::access::Caller;

/// Checks that `caller` may receive a secret of `key`: of a new key, or a new secret of an existing one. The caller has
/// to cover every scope of the key under `claviger/`. If the key has such a scope, it may have no wider address ranges
/// and no later end than the caller's own key, and it has to require proofs of possession if that key does.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn may_hand_out(caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    let reserved = reserved(key);
    covers(caller, &reserved)?;
    if reserved.is_empty() {
        return Ok(());
    }
    may_open(caller, key)?;
    may_unbind(caller, key)?;
    may_prolong(caller, key)
}

/// Checks that `caller` may change `before` to `after`. The caller has to cover every scope under `claviger/` of both.
/// If the key has such a scope, the caller can neither give it wider ranges or a later end than the caller's own key
/// has, nor enable it if it has them already. The same holds for proofs of possession that the caller's own key requires.
/// Disabling needs as few rights as revoking.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn may_change(caller: &Caller, before: &ApiKey, after: &ApiKey) -> Result<(), ApiError> {
    if only_disables(before, after) {
        return Ok(());
    }
    let (had, has) = (reserved(before), reserved(after));
    covers(caller, &had)?;
    covers(caller, &has)?;
    if has.is_empty() {
        return Ok(());
    }
    // A new scope, or being enabled, makes all other properties of the key effective.
    let is_enabled = before.disabled_at.is_some() && after.disabled_at.is_none();
    let is_raised = is_enabled || !had.covers_all(&has);
    if is_raised || !before.cidrs.covers(&after.cidrs) {
        may_open(caller, after)?;
    }
    if is_raised || before.is_stricter_than(after) {
        may_unbind(caller, after)?;
    }
    let ends_later = before.expires_at.is_some_and(|was| after.expires_at.is_none_or(|end| end > was));
    if is_raised || ends_later {
        may_prolong(caller, after)?;
    }
    Ok(())
}

fn only_disables(before: &ApiKey, after: &ApiKey) -> bool {
    after.disabled_at.is_some() && after.is_as(&ApiKey { disabled_at: after.disabled_at, ..before.clone() })
}

fn reserved(key: &ApiKey) -> Scopes {
    key.scopes.partition_reserved().0
}

/// Checks that the caller has all of these scopes.
pub(super) fn covers(caller: &Caller, scopes: &Scopes) -> Result<(), ApiError> {
    let Some(beyond) = scopes.iter().find(|scope| !caller.scopes.covers(scope)) else { return Ok(()) };
    let beyond = redacted(&beyond.to_string());
    Err(Forbidden::BeyondOwnScopes(beyond).into())
}

fn may_open(caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    if caller.own_key().is_none_or(|own| own.cidrs.covers(&key.cidrs)) {
        return Ok(());
    }
    Err(Forbidden::BeyondOwnRanges.into())
}

fn may_unbind(caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    let is_stricter = caller.own_key().is_some_and(|own| own.is_stricter_than(key));
    if is_stricter { Err(Forbidden::BeyondOwnProofs.into()) } else { Ok(()) }
}

fn may_prolong(caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    let outlasts = |own| key.expires_at.is_none_or(|end| end > own);
    if caller.own_key().and_then(|own| own.expires_at).is_some_and(outlasts) {
        return Err(Forbidden::BeyondOwnEnd.into());
    }
    Ok(())
}
