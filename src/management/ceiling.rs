//! No way up: nobody hands out what they don't have.

use super::ApiError;
use crate::access::Caller;
use crate::cidr::Cidrs;
use crate::clock::Timestamp;
use crate::scope::Scopes;
use crate::text::redacted;

/// What a key is to have, as far as it could exceed its maker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rights<'a> {
    pub(super) scopes: &'a Scopes,
    pub(super) cidrs: &'a Cidrs,
    pub(super) expires_at: Option<Timestamp>,
}

/// Whether `caller` may hand out `rights`. It needs to cover every scope under `claviger/`; and where there
/// is one, the key may be used from no more places and for no longer than the caller's own.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn may_hand_out(caller: &Caller, rights: Rights<'_>) -> Result<(), ApiError> {
    let (reserved, _) = rights.scopes.partition_reserved();
    if let Some(beyond) = reserved.iter().find(|scope| !caller.scopes.covers(scope)) {
        let beyond = redacted(&beyond.to_string());
        return Err(forbidden(format!("you can't give a scope that you don't have: {beyond}"), Some(beyond)));
    }
    if reserved.is_empty() {
        return Ok(());
    }
    let own = &caller.key.key;
    if !own.cidrs.covers(rights.cidrs) {
        return Err(forbidden("a key with scopes under claviger/ can't have wider ranges than yours", None));
    }
    if let Some(end) = own.expires_at
        && rights.expires_at.is_none_or(|wanted| wanted > end)
    {
        return Err(forbidden("a key with scopes under claviger/ can't outlast yours", None));
    }
    Ok(())
}

fn forbidden(message: impl Into<String>, scope: Option<String>) -> ApiError {
    ApiError::Forbidden { message: message.into(), scope }
}
