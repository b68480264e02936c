//! Changes a key.

use serde::Deserialize;

use super::create::{cidrs, scopes};
use super::expiry::{ExpiresIn, end};
use super::{KeyPath, find_to, update};
use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::key::{ApiKey, DpopRequirement, Owner, Tags, labels};
use crate::domain::scope::{Preset, Scope, Scopes};
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::ceiling::may_change;
use crate::use_cases::management::last_admin::ensure_admin_remains;
use crate::use_cases::management::nullable::nullable;
use crate::use_cases::management::portal_bounds::{self, KeyAct};
use crate::use_cases::management::{ApiError, Changed, Conflict, InvalidRequest, Terms};

/// The body of a change. An absent member stays. `null` removes the note, the tags, the owner, the address
/// ranges or the end.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with a key's members")]
pub struct KeyPatch {
    #[serde(deserialize_with = "nullable")]
    name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    note: Option<Option<String>>,
    #[serde(deserialize_with = "nullable")]
    tags: Option<Option<Tags>>,
    #[serde(deserialize_with = "nullable")]
    owner: Option<Option<Owner>>,
    #[serde(deserialize_with = "nullable")]
    scopes: Option<Vec<Scope>>,
    #[serde(deserialize_with = "nullable")]
    preset: Option<Preset>,
    #[serde(deserialize_with = "nullable")]
    cidrs: Option<Option<Vec<String>>>,
    #[serde(deserialize_with = "nullable")]
    expires_at: Option<Option<String>>,
    #[serde(deserialize_with = "nullable")]
    expires_in: Option<ExpiresIn>,
    #[serde(deserialize_with = "nullable")]
    disabled: Option<bool>,
    #[serde(deserialize_with = "nullable")]
    dpop: Option<DpopRequirement>,
}

/// Changes a key.
///
/// # Errors
/// [`ApiError`]. Then the key has not changed.
pub async fn change(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    patch: KeyPatch,
    terms: &Terms,
) -> Result<Changed<ApiKey>, ApiError> {
    let now = records.clock.now();
    let alterations = patch.read(path, now)?;
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to(&mut write, caller, path, alterations.act()).await?;
    terms.hold_for(&before)?;
    if before.revoked.is_some() {
        return Err(Conflict::KeyRevoked.into());
    }
    let after = alterations.of(&before, now);
    may_change(caller, &before, &after)?;
    portal_bounds::may_change(caller, &before, &after, now)?;
    portal_bounds::leaves_room_for_change(&mut write, caller, &before, &after).await?;
    ensure_admin_remains(&mut write, caller, &[(&before, Some(&after))], terms.force).await?;
    if !terms.dry_run && !before.is_as(&after) {
        update(&mut write, action(&before, &after), &before, &after).await?;
        records.commit(write).await?;
    }
    Ok(Changed { before, after, dry_run: terms.dry_run })
}

/// The audit trail's name for a change. Disabling and enabling have names of their own, whatever else changes with
/// them.
pub(in crate::use_cases::management) fn action(before: &ApiKey, after: &ApiKey) -> &'static str {
    match (before.disabled_at, after.disabled_at) {
        (None, Some(_)) => "key.disable",
        (Some(_), None) => "key.enable",
        _ => "key.change",
    }
}

/// The members of a key that are to change.
#[derive(Debug, Default)]
pub(in crate::use_cases::management) struct Alterations {
    pub(in crate::use_cases::management) name: Option<String>,
    pub(in crate::use_cases::management) note: Option<Option<String>>,
    pub(in crate::use_cases::management) tags: Option<Tags>,
    pub(in crate::use_cases::management) owner: Option<Option<Owner>>,
    pub(in crate::use_cases::management) scopes: Option<Scopes>,
    pub(in crate::use_cases::management) cidrs: Option<Cidrs>,
    pub(in crate::use_cases::management) expires_at: Option<Option<Timestamp>>,
    pub(in crate::use_cases::management) disabled: Option<bool>,
    pub(in crate::use_cases::management) dpop: Option<DpopRequirement>,
}

impl KeyPatch {
    fn read(self, path: &KeyPath, now: Timestamp) -> Result<Alterations, ApiError> {
        let note = self.note.map(|note| note.map(labels::note).transpose()).transpose();
        let ranges = |entries: Option<Vec<String>>| cidrs(entries.as_deref().unwrap_or_default());
        Ok(Alterations {
            name: self.name.map(labels::name).transpose().map_err(InvalidRequest::Name)?,
            note: note.map_err(InvalidRequest::Note)?,
            tags: self.tags.map(Option::unwrap_or_default),
            owner: self.owner,
            scopes: scopes(self.scopes, self.preset, &path.organization)?,
            cidrs: self.cidrs.map(ranges).transpose()?,
            expires_at: match (self.expires_at, self.expires_in) {
                (None, None) => None,
                (Some(None), None) => Some(None),
                (Some(None), Some(_)) => return Err(InvalidRequest::ExpiryTwice.into()),
                (at, span) => Some(end(at.flatten().as_deref(), span.as_ref(), now)?),
            },
            disabled: self.disabled,
            dpop: self.dpop,
        })
    }
}

impl Alterations {
    /// What this does to the key. A change that also disables or enables it needs the rights for that, too.
    fn act(&self) -> KeyAct {
        if self.disabled.is_some() { KeyAct::Suspend } else { KeyAct::Edit }
    }

    /// The key after the alterations, at time `at`.
    pub(in crate::use_cases::management) fn of(self, before: &ApiKey, at: Timestamp) -> ApiKey {
        let key = match self.disabled {
            Some(true) => before.clone().disable(at),
            Some(false) => before.clone().enable(),
            None => before.clone(),
        };
        ApiKey {
            name: self.name.unwrap_or(key.name),
            note: self.note.unwrap_or(key.note),
            tags: self.tags.unwrap_or(key.tags),
            owner: self.owner.unwrap_or(key.owner),
            scopes: self.scopes.unwrap_or(key.scopes),
            cidrs: self.cidrs.unwrap_or(key.cidrs),
            dpop: self.dpop.unwrap_or(key.dpop),
            expires_at: self.expires_at.unwrap_or(key.expires_at),
            ..key
        }
        .following(before)
    }
}
