//! The catalogues of scopes, of the deployment and of its organizations. An entry is a name for a scope and grants
//! nothing, so that it may name any scope.

use serde::Deserialize;
use serde_json::json;

use super::idempotency::IdempotencyGuard;
use super::listing::cursor;
use super::nullable::nullable;
use super::{
    ApiError, Changed, Conflict, Idempotent, IdempotentRequest, InvalidRequest, PageRequest, Terms,
    organizations, reading,
};
use crate::base::clock::Timestamp;
use crate::domain::audit::AuditEvent;
use crate::domain::key::labels;
use crate::domain::named_scope::{Catalogue, NamedScope, ScopeText};
use crate::domain::names::{NamedScopeId, OrganizationId};
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::store::{ChangeKind, NamedScopeList, VisibleKeys, Write};
use crate::use_cases::access::{Caller, Denied, reachable_keys, visible_named_scopes};

/// An entry, by the ids in a request's path.
#[derive(Clone, Debug)]
pub struct NamedScopePath {
    /// The catalogue in the path.
    pub catalogue: Catalogue,
    /// The entry in the path.
    pub scope: NamedScopeId,
}

/// The body of a request that adds an entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with id, scope, name, description and group")]
pub struct NewNamedScopeRequest {
    pub(super) id: NamedScopeId,
    pub(super) scope: ScopeText,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) group: Option<String>,
}

/// The body of a change. An absent member stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with scope, name, description and group")]
pub struct NamedScopePatch {
    #[serde(deserialize_with = "nullable")]
    pub(super) scope: Option<ScopeText>,
    #[serde(deserialize_with = "nullable")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) description: Option<Option<String>>,
    #[serde(deserialize_with = "nullable")]
    pub(super) group: Option<Option<String>>,
}

/// A page of the entries that the caller may read, newest first, and the cursor of the next. With `inherited`, an
/// organization's list also has the deployment's entries: whoever may read an entry's place in the organization may read
/// what is inherited there.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    records: &Records,
    caller: &Caller,
    catalogue: Catalogue,
    inherited: bool,
    page: PageRequest,
) -> Result<(Vec<NamedScope>, Option<String>), ApiError> {
    if let Catalogue::Of(organization) = &catalogue {
        organizations::known(records, caller, organization).await?;
    }
    let whose = catalogue.organization().map_or("the deployment", OrganizationId::as_str);
    let list = format!("scopes of {whose}, inherited {inherited}");
    let before = page.after(records, &list)?;
    let visible = visible_named_scopes(caller, &catalogue);
    let wanted = NamedScopeList { catalogue, inherited, visible };
    let found = reading(records, caller).await?.named_scopes(&wanted, before, page.limit).await?;
    Ok((found.items, cursor(records, &list, found.next)?))
}

/// Loads the entry, for a caller who may read it.
///
/// # Errors
/// [`ApiError`].
pub async fn read(records: &Records, caller: &Caller, path: &NamedScopePath) -> Result<NamedScope, ApiError> {
    may(caller, path, Verb::Read)?;
    let found = reading(records, caller).await?.named_scope(&path.catalogue, &path.scope).await?;
    found.ok_or(ApiError::NotFound)
}

/// The scopes that a form of the organization offers: its own entries and those that it inherits, in the order of their
/// groups and names. Where both name a scope, the organization's name counts. The caller may have them who may read the
/// catalogue, and who may give keys of the organization scopes. Others get none.
///
/// # Errors
/// [`ApiError`].
pub async fn offered(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
) -> Result<Vec<NamedScope>, ApiError> {
    let nothing = VisibleKeys::Only(Vec::new());
    let makes_keys = reachable_keys(caller, Verb::Write, organization) != nothing;
    let reads_all = caller.may_all_in(organization, Verb::Read, &["scopes", "*"]).is_ok();
    if !makes_keys && !reads_all {
        return Ok(Vec::new());
    }
    let all = reading(records, caller).await?.offered_scopes(organization).await?;
    let (own, inherited): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|entry| entry.catalogue != Catalogue::Deployment);
    let is_new = |entry: &NamedScope| own.iter().all(|named| named.scope != entry.scope);
    let inherited: Vec<_> = inherited.into_iter().filter(is_new).collect();
    let mut offered: Vec<_> = own.into_iter().chain(inherited).collect();
    sort(&mut offered);
    Ok(offered)
}

/// Puts entries in the order of their groups and names. Those without a group come last.
pub fn sort(entries: &mut [NamedScope]) {
    entries.sort_by_cached_key(|entry| {
        let group = entry.group.clone();
        (group.is_none(), group.map(|group| group.to_lowercase()), entry.name.to_lowercase())
    });
}

/// Adds an entry to a catalogue.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when the id is in use or the scope is listed, or the catalogue is full.
pub async fn create(
    records: &Records,
    caller: &Caller,
    catalogue: Catalogue,
    request: NewNamedScopeRequest,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<NamedScope>, ApiError> {
    let path = NamedScopePath { catalogue, scope: request.id.clone() };
    may(caller, &path, Verb::Write)?;
    let entry = new(path.catalogue, request, records.clock.now())?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    if let Catalogue::Of(organization) = &entry.catalogue {
        write.organization(organization).await?.ok_or(ApiError::NotFound)?;
    }
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    let mut listed = write.named_scopes(&entry.catalogue).await?;
    if listed.iter().any(|other| other.id == entry.id) {
        return Err(Conflict::NamedScopeIdTaken.into());
    }
    listed.push(entry.clone());
    fits(&listed)?;
    insert(&mut write, &entry).await?;
    guard.save(&mut write, &entry).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(entry))
}

/// Changes an entry.
///
/// # Errors
/// [`ApiError`]. Then the entry has not changed.
pub async fn change(
    records: &Records,
    caller: &Caller,
    path: &NamedScopePath,
    patch: NamedScopePatch,
    terms: &Terms,
) -> Result<Changed<NamedScope>, ApiError> {
    may(caller, path, Verb::Write)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let mut listed = write.named_scopes(&path.catalogue).await?;
    let entry = listed.iter_mut().find(|entry| entry.id == path.scope).ok_or(ApiError::NotFound)?;
    let before = entry.clone();
    terms.hold_for(&before)?;
    let after = altered(&before, patch)?;
    *entry = after.clone();
    fits(&listed)?;
    if !terms.dry_run && before != after {
        update(&mut write, &before, &after).await?;
        records.commit(write).await?;
    }
    Ok(Changed { before, after, dry_run: terms.dry_run })
}

/// Removes an entry. Keys keep the scope.
///
/// # Errors
/// [`ApiError`].
pub async fn delete(records: &Records, caller: &Caller, path: &NamedScopePath) -> Result<(), ApiError> {
    may(caller, path, Verb::Write)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let listed = write.named_scopes(&path.catalogue).await?;
    let entry = listed.iter().find(|entry| entry.id == path.scope).ok_or(ApiError::NotFound)?;
    remove(&mut write, entry).await?;
    Ok(records.commit(write).await?)
}

/// Checks that the caller may do `verb` to the entry.
///
/// # Errors
/// [`Denied`].
pub fn may(caller: &Caller, path: &NamedScopePath, verb: Verb) -> Result<(), Denied> {
    let below = ["scopes", path.scope.as_str()];
    match &path.catalogue {
        Catalogue::Deployment => caller.may(verb, &below),
        Catalogue::Of(organization) => caller.may_in(organization, verb, &below),
    }
}

/// The entry that a request describes.
pub(super) fn new(
    catalogue: Catalogue,
    request: NewNamedScopeRequest,
    now: Timestamp,
) -> Result<NamedScope, ApiError> {
    let NewNamedScopeRequest { id, scope, name, description, group } = request;
    let (name, description, group) = labelled(name, description, group)?;
    Ok(NamedScope { id, catalogue, scope, name, description, group, created_at: now })
}

/// The entry after the patch.
pub(super) fn altered(before: &NamedScope, patch: NamedScopePatch) -> Result<NamedScope, ApiError> {
    let was = before.clone();
    let NamedScopePatch { scope, name, description, group } = patch;
    let (name, description, group) = labelled(
        name.unwrap_or(was.name),
        description.unwrap_or(was.description),
        group.unwrap_or(was.group),
    )?;
    Ok(NamedScope { scope: scope.unwrap_or(was.scope), name, description, group, ..before.clone() })
}

type Labels = (String, Option<String>, Option<String>);

fn labelled(
    name: String,
    description: Option<String>,
    group: Option<String>,
) -> Result<Labels, InvalidRequest> {
    Ok((
        labels::name(name).map_err(InvalidRequest::Name)?,
        description.map(labels::description).transpose().map_err(InvalidRequest::ScopeLabel)?,
        group.map(labels::group).transpose().map_err(InvalidRequest::ScopeLabel)?,
    ))
}

/// Checks that a catalogue may have these entries: no more than there is room for, and each scope once.
pub(super) fn fits(listed: &[NamedScope]) -> Result<(), ApiError> {
    if listed.len() > Catalogue::MAX_COUNT {
        return Err(Conflict::TooManyNamedScopes.into());
    }
    let mut scopes: Vec<_> = listed.iter().collect();
    scopes.sort_unstable_by(|one, other| one.scope.cmp(&other.scope));
    match scopes.windows(2).find(|pair| pair[0].scope == pair[1].scope) {
        Some(pair) => Err(Conflict::ScopeNamedTwice(pair[0].id.clone(), pair[1].id.clone()).into()),
        None => Ok(()),
    }
}

/// Stores a new entry, and records that.
pub(super) async fn insert(write: &mut Write, entry: &NamedScope) -> Result<(), ApiError> {
    write.insert_named_scope(entry).await?;
    record(write, "scope.create", None, Some(entry)).await
}

/// Stores a changed entry, and records the change.
pub(super) async fn update(
    write: &mut Write,
    before: &NamedScope,
    after: &NamedScope,
) -> Result<(), ApiError> {
    write.update_named_scope(after).await?;
    record(write, "scope.change", Some(before), Some(after)).await
}

/// Removes an entry, and records that.
pub(super) async fn remove(write: &mut Write, entry: &NamedScope) -> Result<(), ApiError> {
    write.delete_named_scope(entry).await?;
    record(write, "scope.delete", Some(entry), None).await
}

async fn record(
    write: &mut Write,
    action: &'static str,
    before: Option<&NamedScope>,
    after: Option<&NamedScope>,
) -> Result<(), ApiError> {
    let Some(entry) = after.or(before) else { return Ok(()) };
    let event = AuditEvent {
        action,
        organization: entry.catalogue.organization().cloned(),
        key: None,
        subject: entry.path(),
        before: before.map(|before| json!(before)),
        after: after.map(|after| json!(after)),
    };
    Ok(write.record(ChangeKind::NamedScope, event).await?)
}
