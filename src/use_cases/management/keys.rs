//! API keys: creating, reading, changing, revoking and deleting them.

mod bulk;
mod change;
mod chosen;
mod create;
mod delete;
mod expiry;
mod inventory;
mod list;
mod names;
mod public_keys;
mod revoke;
mod rotate;
mod search;
mod take_away;
mod trust_rules;
mod ways_in;

pub use bulk::{
    BulkAnswer, BulkDisabling, BulkRevocation, Rescoping, Selection, Suspension, rescope_all, revoke_all,
    suspend_all,
};
pub(super) use change::{Alterations, action};
pub use change::{KeyPatch, change};
pub use chosen::{Chosen, ChosenAct, Kept, act_on_chosen, may_act_on_some};
pub use create::{CreatedKey, NewKeyRequest, create};
pub(super) use create::{check_home, cidrs, insert_all, scopes};
pub use delete::delete;
pub use expiry::ExpiresIn;
pub use inventory::Inventory;
pub use list::{KeySearch, count, list};
pub use names::names;
pub use public_keys::{NewPublicKey, register};
pub use revoke::revoke;
pub use rotate::{Retirement, Rotation, retire, rotate};
pub use search::search;
pub use take_away::{remove_public_key, remove_rule};
pub use trust_rules::add_rule;
pub(super) use trust_rules::fits;
pub(super) use ways_in::{WantedWaysIn, update_whole};

use super::ceiling::may_hand_out;
use super::portal_bounds::{self, KeyAct};
use super::{ApiError, Conflict, reading};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::audit::AuditEvent;
use crate::domain::key::ApiKey;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::portal::PortalAct;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::store::{ChangeKind, VisibleKeys, Write};
use crate::use_cases::access::{Caller, Denied, reachable_keys};

/// A key of an organization, by the ids in a request's path.
#[derive(Clone, Debug)]
pub struct KeyPath {
    /// The organization in the path.
    pub organization: OrganizationId,
    /// The key in the path.
    pub key: KeyId,
}

/// Loads the key, for a caller who may do `verb` to it.
///
/// # Errors
/// [`ApiError`]. A caller who may not gets the same error whether the key exists or not.
pub async fn find(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    verb: Verb,
) -> Result<ApiKey, ApiError> {
    let claim = Claim::of(caller, path, verb)?;
    let found = reading(records, caller).await?.key(&path.key).await?;
    claim.hold_for(found.map(|stored| stored.key))
}

/// Loads the key, for a caller who may do this to it.
///
/// # Errors
/// Those of [`find`].
pub async fn find_for(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    act: KeyAct,
) -> Result<ApiKey, ApiError> {
    let key = find(records, caller, path, Verb::Write).await?;
    portal_bounds::may(caller, act, &key, records.clock.now())?;
    Ok(key)
}

/// Checks that the caller may create keys in some project of the organization.
///
/// # Errors
/// [`ApiError::NotFound`] and [`ApiError::Forbidden`].
pub fn may_begin(caller: &Caller, organization: &OrganizationId) -> Result<(), ApiError> {
    portal_bounds::allows(caller, PortalAct::Create)?;
    if reachable_keys(caller, Verb::Write, organization) == VisibleKeys::Only(Vec::new()) {
        caller.may_all_in(organization, Verb::Write, &["projects", "*", "keys", "*"])?;
    }
    Ok(())
}

/// Whether the caller may do this to the key, which the caller has found.
pub fn permits(caller: &Caller, act: KeyAct, key: &ApiKey, now: Timestamp) -> bool {
    may(caller, key, Verb::Write).is_ok() && portal_bounds::may(caller, act, key, now).is_ok()
}

/// Loads the key inside `write`, for a caller who may do this to it.
async fn find_to(
    write: &mut Write,
    caller: &Caller,
    path: &KeyPath,
    act: KeyAct,
) -> Result<ApiKey, ApiError> {
    let claim = Claim::of(caller, path, Verb::Write)?;
    let key = claim.hold_for(write.key(&path.key).await?)?;
    portal_bounds::may(caller, act, &key, write.at())?;
    Ok(key)
}

/// Loads the key inside `write`, for a caller who may hand out a way to act as it.
async fn find_to_hand_out(write: &mut Write, caller: &Caller, path: &KeyPath) -> Result<ApiKey, ApiError> {
    let key = find_to(write, caller, path, KeyAct::ChangeWaysIn).await?;
    may_hand_out(caller, &key)?;
    if key.revoked.is_some() { Err(Conflict::KeyRevoked.into()) } else { Ok(key) }
}

/// What a caller may do to a key that is not loaded yet.
struct Claim<'a> {
    caller: &'a Caller,
    path: &'a KeyPath,
    verb: Verb,
    /// Whether the caller may do it in every project.
    anywhere: Result<(), Denied>,
}

impl<'a> Claim<'a> {
    /// Fails before the key is loaded if the caller may not know the organization.
    fn of(caller: &'a Caller, path: &'a KeyPath, verb: Verb) -> Result<Self, ApiError> {
        let id = path.key.to_string();
        let anywhere = caller.may_all_in(&path.organization, verb, &["projects", "*", "keys", &id]);
        if anywhere == Err(Denied::NotFound) {
            return Err(ApiError::NotFound);
        }
        Ok(Self { caller, path, verb, anywhere })
    }

    fn hold_for(self, found: Option<ApiKey>) -> Result<ApiKey, ApiError> {
        let is_there =
            |key: &ApiKey| key.organization == self.path.organization && self.caller.knows_key(key);
        let found = found.filter(is_there);
        match (found, self.anywhere) {
            (Some(key), Ok(())) => Ok(key),
            (None, Ok(())) => Err(ApiError::NotFound),
            (Some(key), Err(_)) if may(self.caller, &key, self.verb).is_ok() => Ok(key),
            // No scope would help a user of the portal.
            (_, Err(_)) if self.caller.portal().is_some() => Err(ApiError::NotFound),
            (_, Err(denied)) => Err(denied.into()),
        }
    }
}

pub(super) fn may(caller: &Caller, key: &ApiKey, verb: Verb) -> Result<(), Denied> {
    if !caller.knows_key(key) {
        return Err(Denied::NotFound);
    }
    caller.may_in(&key.organization, verb, &["projects", key.project.as_str(), "keys", &key.id.to_string()])
}

/// The same for a key of which only the place is known. Users of the portal know none of those.
pub(super) fn may_at(
    caller: &Caller,
    (organization, project, key): (&OrganizationId, &ProjectId, KeyId),
    verb: Verb,
) -> Result<(), Denied> {
    if caller.portal().is_some() {
        return Err(Denied::NotFound);
    }
    caller.may_in(organization, verb, &["projects", project.as_str(), "keys", &key.to_string()])
}

/// Stores a changed key, and records the change.
async fn update(
    write: &mut Write,
    action: &'static str,
    before: &ApiKey,
    after: &ApiKey,
) -> Result<(), ApiError> {
    update_all(write, action, &[(before, after)]).await
}

/// Stores changed keys, and records the change to each. Resource servers learn of everything that was taken away.
/// Console sessions of a key that is disabled, or requires proofs of possession from now on, end for good.
pub(super) async fn update_all(
    write: &mut Write,
    action: &'static str,
    changed: &[(&ApiKey, &ApiKey)],
) -> Result<(), ApiError> {
    // Works in batches, so that the database never waits long for the next statement: it ends a transaction that is
    // idle for too long.
    for changed in changed.chunks(Write::AT_ONCE) {
        let after: Vec<&ApiKey> = changed.iter().map(|(_, after)| *after).collect();
        write.update_keys(&after).await?;
        let narrowed = changed.iter().filter(|(before, after)| after.generation > before.generation);
        let withdrawn: Vec<_> = narrowed.map(|(_, after)| (after.id, after.generation)).collect();
        write.withdraw_generations(&withdrawn).await?;
        let is_out = |(before, after): &&(&ApiKey, &ApiKey)| {
            let is_disabled = before.disabled_at.is_none() && after.disabled_at.is_some();
            is_disabled || after.is_stricter_than(before)
        };
        let out: Vec<_> = changed.iter().filter(is_out).map(|(_, after)| after.id).collect();
        write.delete_console_sessions_of(&out).await?;
        let events: Vec<_> = changed
            .iter()
            .filter_map(|(before, after)| event(write, action, Some(before), Some(after)))
            .collect();
        write.record_all(ChangeKind::Key, &events).await?;
    }
    Ok(())
}

async fn record(
    write: &mut Write,
    action: &'static str,
    before: Option<&ApiKey>,
    after: Option<&ApiKey>,
) -> Result<(), ApiError> {
    let Some(event) = event(write, action, before, after) else { return Ok(()) };
    Ok(write.record(ChangeKind::Key, event).await?)
}

fn event(
    write: &Write,
    action: &'static str,
    before: Option<&ApiKey>,
    after: Option<&ApiKey>,
) -> Option<AuditEvent> {
    let key = after.or(before)?;
    Some(AuditEvent {
        action,
        organization: Some(key.organization.clone()),
        key: Some(key.id),
        subject: key.id.to_string(),
        before: before.map(|key| key.json(write.at())),
        after: after.map(|key| key.json(write.at())),
    })
}
