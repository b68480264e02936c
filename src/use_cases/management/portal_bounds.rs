//! The bounds of the customers' portal. Whatever a user of the portal does to a key passes one of these checks. All other
//! callers pass every one of them: their scopes have already decided.

use super::{ApiError, Conflict, Forbidden};
use crate::base::clock::Timestamp;
use crate::domain::key::{ApiKey, KeyStatus};
use crate::domain::portal::PortalAct;
use crate::store::Write;
use crate::use_cases::access::Caller;

/// What somebody does to one key that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAct {
    /// Changes its members.
    Edit,
    /// Disables or enables it.
    Suspend,
    /// Gives it a new secret, or retires one.
    Rotate,
    /// Revokes it.
    Revoke,
    /// Deletes it.
    Delete,
    /// Adds a public key or a trust rule, or removes one.
    ChangeWaysIn,
}

impl KeyAct {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Edit, Self::Suspend, Self::Rotate, Self::Revoke, Self::Delete, Self::ChangeWaysIn];

    /// What a session of the portal has to allow for it. Some things no session allows.
    const fn portal_act(self) -> Option<PortalAct> {
        match self {
            Self::Edit => Some(PortalAct::Edit),
            Self::Rotate => Some(PortalAct::Rotate),
            Self::Revoke => Some(PortalAct::Revoke),
            Self::Suspend | Self::Delete | Self::ChangeWaysIn => None,
        }
    }
}

/// Checks that the caller may do this to the key, which it may change as far as scopes go. A user of the portal can revoke
/// any key of the session, and edits and rotates those that are within its bounds.
///
/// # Errors
/// [`ApiError::NotFound`] for a key of somebody else, and [`ApiError::Forbidden`].
pub(super) fn may(caller: &Caller, act: KeyAct, key: &ApiKey, now: Timestamp) -> Result<(), ApiError> {
    let Some(granted) = caller.portal() else { return Ok(()) };
    if !granted.is_about(key) {
        return Err(ApiError::NotFound);
    }
    if !act.portal_act().is_some_and(|act| granted.allows(act)) {
        return Err(Forbidden::NotInPortal.into());
    }
    if act == KeyAct::Revoke { Ok(()) } else { is_within(caller, key, now) }
}

/// Checks that a session of the portal allows this.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn allows(caller: &Caller, act: PortalAct) -> Result<(), ApiError> {
    match caller.portal() {
        Some(granted) if !granted.allows(act) => Err(Forbidden::NotInPortal.into()),
        _ => Ok(()),
    }
}

/// Refuses users of the portal.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn never(caller: &Caller) -> Result<(), ApiError> {
    if caller.portal().is_some() { Err(Forbidden::NotInPortal.into()) } else { Ok(()) }
}

/// Checks that the caller may create this key.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn may_create(caller: &Caller, key: &ApiKey, now: Timestamp) -> Result<(), ApiError> {
    if caller.portal().is_none() {
        return Ok(());
    }
    allows(caller, PortalAct::Create)?;
    let is_plain = key.public_keys.is_empty() && key.trust_rules.is_empty();
    if !is_plain || !key.tags.is_empty() || key.owner.is_some() {
        return Err(Forbidden::NotInPortal.into());
    }
    is_within(caller, key, now)
}

/// Checks that the caller may change `before`, of which [`may`] has been checked, to `after`.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub(super) fn may_change(
    caller: &Caller,
    before: &ApiKey,
    after: &ApiKey,
    now: Timestamp,
) -> Result<(), ApiError> {
    if caller.portal().is_none() {
        return Ok(());
    }
    let is_suspended = before.disabled_at != after.disabled_at;
    let is_described = before.tags != after.tags || before.owner != after.owner;
    if is_suspended || is_described || before.is_stricter_than(after) {
        return Err(Forbidden::NotInPortal.into());
    }
    is_within(caller, after, now)
}

/// Checks inside `write` that a user of the portal may have one more key that works.
///
/// # Errors
/// [`ApiError::Conflict`].
pub(super) async fn leaves_room(write: &mut Write, caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    let Some(granted) = caller.portal() else { return Ok(()) };
    let has = write.count_portal_keys(&key.organization, &granted.creator(), write.at()).await?;
    if has < i64::from(granted.max_keys) {
        Ok(())
    } else {
        Err(Conflict::TooManyPortalKeys(granted.max_keys).into())
    }
}

/// The same for a change, which may make an expired key work again.
///
/// # Errors
/// [`ApiError::Conflict`].
pub(super) async fn leaves_room_for_change(
    write: &mut Write,
    caller: &Caller,
    before: &ApiKey,
    after: &ApiKey,
) -> Result<(), ApiError> {
    let is_expired = |key: &ApiKey| key.status(write.at()) == KeyStatus::Expired;
    if is_expired(before) && !is_expired(after) { leaves_room(write, caller, after).await } else { Ok(()) }
}

fn is_within(caller: &Caller, key: &ApiKey, now: Timestamp) -> Result<(), ApiError> {
    let Some(granted) = caller.portal() else { return Ok(()) };
    if !granted.has_scopes_of(key) {
        return Err(Forbidden::BeyondPortalScopes.into());
    }
    if !granted.has_ranges_of(key) {
        return Err(Forbidden::BeyondPortalRanges.into());
    }
    if granted.has_end_of(key, now) { Ok(()) } else { Err(Forbidden::BeyondPortalEnd.into()) }
}
