//! Organizations, which are the tenants: creating, reading, changing and deleting them.

use serde::Deserialize;
use serde_json::json;

use super::idempotency::IdempotencyGuard;
use super::listing::cursor;
use super::nullable::nullable;
use super::{
    ApiError, Changed, Conflict, Idempotent, IdempotentRequest, InvalidRequest, PageRequest, Terms, reading,
};
use crate::domain::audiences::Audiences;
use crate::domain::audit::AuditEvent;
use crate::domain::key::labels;
use crate::domain::names::OrganizationId;
use crate::domain::scope::{Filter, Scope, Verb};
use crate::domain::tenant::Organization;
use crate::node::Records;
use crate::store::{ChangeKind, Write};
use crate::use_cases::access::{Caller, visible_organizations};

/// The body of a request that creates an organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with an organization's members")]
pub struct NewOrganizationRequest {
    id: OrganizationId,
    name: Option<String>,
    audiences: Option<Vec<String>>,
}

/// The body of a change. An absent member stays. `null` audiences stand for all of the deployment's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with an organization's members")]
pub struct OrganizationPatch {
    #[serde(deserialize_with = "nullable")]
    name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    audiences: Option<Option<Vec<String>>>,
}

/// A page of the organizations that the caller may read, newest first, and the cursor of the next.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    records: &Records,
    caller: &Caller,
    page: PageRequest,
) -> Result<(Vec<Organization>, Option<String>), ApiError> {
    const LIST: &str = "organizations";
    let before = page.after(records, LIST)?;
    let visible = visible_organizations(caller);
    let found = reading(records, caller).await?.organizations(&visible, before, page.limit).await?;
    Ok((found.items, cursor(records, LIST, found.next)?))
}

/// Loads the organization, for a caller who may read it.
///
/// # Errors
/// [`ApiError`].
pub async fn read(records: &Records, caller: &Caller, id: &OrganizationId) -> Result<Organization, ApiError> {
    caller.may_in(id, Verb::Read, &[])?;
    reading(records, caller).await?.organization(id).await?.ok_or(ApiError::NotFound)
}

/// Loads the organization, for a caller who may change it.
///
/// # Errors
/// [`ApiError`].
pub async fn to_change(
    records: &Records,
    caller: &Caller,
    id: &OrganizationId,
) -> Result<Organization, ApiError> {
    caller.may_in(id, Verb::Admin, &[])?;
    reading(records, caller).await?.organization(id).await?.ok_or(ApiError::NotFound)
}

/// Whether the caller may create an organization with any id.
pub fn may_create(caller: &Caller) -> bool {
    Filter::reserved(&["orgs", "*"])
        .is_ok_and(|any| caller.scopes.covers(&Scope::new(Verb::Admin.into(), any)))
}

/// Checks that this organization exists and that the caller may know of it.
///
/// # Errors
/// [`ApiError`].
pub async fn known(records: &Records, caller: &Caller, id: &OrganizationId) -> Result<(), ApiError> {
    if !caller.knows(id) || reading(records, caller).await?.organization(id).await?.is_none() {
        return Err(ApiError::NotFound);
    }
    Ok(())
}

/// Creates an organization.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when the id is or was in use.
pub async fn create(
    records: &Records,
    caller: &Caller,
    request: NewOrganizationRequest,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<Organization>, ApiError> {
    // Checks this before existence: a caller without the scope gets the same error whether the organization exists or
    // not.
    caller.may(Verb::Admin, &["orgs", request.id.as_str()])?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let now = records.clock.now();
    let organization = Organization {
        name: labels::name(request.name.unwrap_or_else(|| request.id.to_string()))
            .map_err(InvalidRequest::Name)?,
        audiences: audiences(records, request.audiences)?,
        id: request.id,
        created_at: now,
    };
    let mut write = records.store.write(now, &caller.actor()).await?;
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    if !write.insert_organization(&organization).await? {
        return Err(Conflict::OrganizationIdTaken.into());
    }
    record(&mut write, "organization.create", None, Some(&organization)).await?;
    guard.save(&mut write, &organization).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(organization))
}

/// Changes an organization.
///
/// # Errors
/// [`ApiError`]. Then the organization has not changed.
pub async fn change(
    records: &Records,
    caller: &Caller,
    id: &OrganizationId,
    patch: OrganizationPatch,
    terms: &Terms,
) -> Result<Changed<Organization>, ApiError> {
    caller.may_in(id, Verb::Admin, &[])?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = write.organization(id).await?.ok_or(ApiError::NotFound)?;
    terms.hold_for(&before)?;
    let after = Organization {
        name: name(patch.name, &before)?,
        audiences: match patch.audiences {
            Some(list) => audiences(records, list)?,
            None => before.audiences.clone(),
        },
        ..before.clone()
    };
    if !terms.dry_run && before != after {
        update(&mut write, &before, &after).await?;
        records.commit(write).await?;
    }
    Ok(Changed { before, after, dry_run: terms.dry_run })
}

/// Deletes an organization and its projects, and removes its members.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] while it has unrevoked keys.
pub async fn delete(records: &Records, caller: &Caller, id: &OrganizationId) -> Result<(), ApiError> {
    caller.may_in(id, Verb::Admin, &[])?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = write.organization(id).await?.ok_or(ApiError::NotFound)?;
    if !write.environments_in_use(id, None).await?.is_empty() {
        return Err(Conflict::HasKeys.into());
    }
    write.delete_organization(id).await?;
    write.remove_members_of(id).await?;
    record(&mut write, "organization.delete", Some(&before), None).await?;
    Ok(records.commit(write).await?)
}

/// Stores a changed organization, and records the change.
pub(super) async fn update(
    write: &mut Write,
    before: &Organization,
    after: &Organization,
) -> Result<(), ApiError> {
    write.update_organization(after).await?;
    record(write, "organization.change", Some(before), Some(after)).await
}

/// The requested name, or the present one.
pub(super) fn name(given: Option<String>, before: &Organization) -> Result<String, ApiError> {
    Ok(given.map_or(Ok(before.name.clone()), labels::name).map_err(InvalidRequest::Name)?)
}

/// The requested audiences, which have to be among the deployment's.
pub(super) fn audiences(records: &Records, list: Option<Vec<String>>) -> Result<Option<Audiences>, ApiError> {
    let choice = &records.audiences;
    Ok(list.map(|list| Audiences::among(choice, list)).transpose().map_err(InvalidRequest::Audiences)?)
}

async fn record(
    write: &mut Write,
    action: &'static str,
    before: Option<&Organization>,
    after: Option<&Organization>,
) -> Result<(), ApiError> {
    let Some(organization) = after.or(before) else { return Ok(()) };
    let event = AuditEvent {
        action,
        organization: Some(organization.id.clone()),
        key: None,
        subject: organization.id.to_string(),
        before: before.map(|before| json!(before)),
        after: after.map(|after| json!(after)),
    };
    Ok(write.record(ChangeKind::Organization, event).await?)
}
