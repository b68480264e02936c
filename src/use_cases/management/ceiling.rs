//! No way up: nobody hands out what they don't have.

use super::ApiError;
use crate::base::text::redacted;
use crate::domain::key::ApiKey;
use crate::domain::scope::Scopes;
use crate::use_cases::access::Caller;

/// Whether `caller` may hand a secret of `key` out: of a new key, or a new one of an old key. It needs to cover
/// every scope of the key under `claviger/`; and where there is one, the key may be used from no more places and
/// for no longer than the caller's own.
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
    may_prolong(caller, key)
}

/// Whether `caller` may make `after` of `before`. It needs to cover every scope under `claviger/` of either; and
/// to a key with one it gives no more places and no more time than its own, nor does it enable one that has more.
/// Disabling needs as little as revoking does.
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
    // With a new scope, and by being enabled, the key gets whatever else it has.
    let is_enabled = before.disabled_at.is_some() && after.disabled_at.is_none();
    let is_raised = is_enabled || !had.covers_all(&has);
    if is_raised || !before.cidrs.covers(&after.cidrs) {
        may_open(caller, after)?;
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

fn covers(caller: &Caller, scopes: &Scopes) -> Result<(), ApiError> {
    let Some(beyond) = scopes.iter().find(|scope| !caller.scopes.covers(scope)) else { return Ok(()) };
    let beyond = redacted(&beyond.to_string());
    let message = format!("you cannot grant or change a scope that you do not have: {beyond}");
    Err(ApiError::Forbidden { message, scope: Some(beyond) })
}

fn may_open(caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    if caller.key.key.cidrs.covers(&key.cidrs) {
        return Ok(());
    }
    Err(forbidden("a key with scopes under claviger/ cannot have wider network ranges than your own key"))
}

fn may_prolong(caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    let outlasts = |own| key.expires_at.is_none_or(|end| end > own);
    if caller.key.key.expires_at.is_some_and(outlasts) {
        return Err(forbidden("a key with scopes under claviger/ cannot expire later than your own key"));
    }
    Ok(())
}

fn forbidden(message: &str) -> ApiError {
    ApiError::Forbidden { message: message.into(), scope: None }
}
