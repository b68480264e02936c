//! Projects of an organization: creating, reading, changing and deleting them.

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
use crate::domain::audiences::{self, Audiences};
use crate::domain::audit::AuditEvent;
use crate::domain::key::labels;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::Verb;
use crate::domain::tenant::{Environments, Organization, Project};
use crate::node::Records;
use crate::store::{ChangeKind, Write};
use crate::use_cases::access::{Caller, visible_projects};

/// A project, by the ids in a request's path.
#[derive(Clone, Debug)]
pub struct ProjectPath {
    /// The organization in the path.
    pub organization: OrganizationId,
    /// The project in the path.
    pub project: ProjectId,
}

/// The body of a request that creates a project.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a project's members")]
pub struct NewProjectRequest {
    pub(super) id: ProjectId,
    pub(super) name: Option<String>,
    pub(super) environments: Option<Vec<String>>,
    pub(super) audiences: Option<Vec<String>>,
}

/// The body of a change. An absent member stays. `null` audiences stand for all of the organization's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with a project's members")]
pub struct ProjectPatch {
    #[serde(deserialize_with = "nullable")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) environments: Option<Vec<String>>,
    #[serde(deserialize_with = "nullable")]
    pub(super) audiences: Option<Option<Vec<String>>>,
}

/// A page of the projects that the caller may read, newest first, and the cursor of the next.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    page: PageRequest,
) -> Result<(Vec<Project>, Option<String>), ApiError> {
    organizations::known(records, caller, organization).await?;
    let list = format!("projects of {organization}");
    let before = page.after(records, &list)?;
    let visible = visible_projects(caller, organization);
    let found = reading(records, caller).await?.projects(organization, &visible, before, page.limit).await?;
    Ok((found.items, cursor(records, &list, found.next)?))
}

/// Loads the project, for a caller who may read it.
///
/// # Errors
/// [`ApiError`].
pub async fn read(records: &Records, caller: &Caller, path: &ProjectPath) -> Result<Project, ApiError> {
    may(caller, path, Verb::Read)?;
    reading(records, caller)
        .await?
        .project(&path.organization, &path.project)
        .await?
        .ok_or(ApiError::NotFound)
}

/// Creates a project in `organization`.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when the id is or was in use in the organization.
pub async fn create(
    records: &Records,
    caller: &Caller,
    organization: OrganizationId,
    request: NewProjectRequest,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<Project>, ApiError> {
    let path = ProjectPath { organization, project: request.id.clone() };
    may(caller, &path, Verb::Write)?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let organization = write.organization(&path.organization).await?.ok_or(ApiError::NotFound)?;
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    let project = new(records, &organization, request, write.at())?;
    insert_all(&mut write, &[&project]).await?;
    guard.save(&mut write, &project).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(project))
}

/// Changes a project.
///
/// # Errors
/// [`ApiError`]. Then the project has not changed.
pub async fn change(
    records: &Records,
    caller: &Caller,
    path: &ProjectPath,
    patch: ProjectPatch,
    terms: &Terms,
) -> Result<Changed<Project>, ApiError> {
    may(caller, path, Verb::Write)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let organization = write.organization(&path.organization).await?.ok_or(ApiError::NotFound)?;
    let before = write.project(&path.organization, &path.project).await?.ok_or(ApiError::NotFound)?;
    terms.hold_for(&before)?;
    let after = altered(records, &mut write, &organization, &before, patch).await?;
    if !terms.dry_run && before != after {
        update_all(&mut write, &[(&before, &after)]).await?;
        records.commit(write).await?;
    }
    Ok(Changed { before, after, dry_run: terms.dry_run })
}

/// Deletes a project.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] while it has unrevoked keys.
pub async fn delete(records: &Records, caller: &Caller, path: &ProjectPath) -> Result<(), ApiError> {
    may(caller, path, Verb::Write)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = write.project(&path.organization, &path.project).await?.ok_or(ApiError::NotFound)?;
    if !write.environments_in_use(&path.organization, Some(&path.project)).await?.is_empty() {
        return Err(Conflict::HasKeys.into());
    }
    write.delete_project(&before).await?;
    record(&mut write, "project.delete", Some(&before), None).await?;
    Ok(records.commit(write).await?)
}

fn may(caller: &Caller, path: &ProjectPath, verb: Verb) -> Result<(), ApiError> {
    Ok(caller.may_in(&path.organization, verb, &["projects", path.project.as_str()])?)
}

/// The project that a request describes.
pub(super) fn new(
    records: &Records,
    organization: &Organization,
    request: NewProjectRequest,
    now: Timestamp,
) -> Result<Project, ApiError> {
    Ok(Project {
        name: labels::name(request.name.unwrap_or_else(|| request.id.to_string()))
            .map_err(InvalidRequest::Name)?,
        environments: request.environments.map_or(Ok(Environments::default()), environments)?,
        audiences: audiences(records, organization, request.audiences)?,
        id: request.id,
        organization: organization.id.clone(),
        created_at: now,
    })
}

/// Stores new projects, and records that. Other writers wait meanwhile, so this takes few statements.
///
/// # Errors
/// [`ApiError::Conflict`] when an id is or was in use. Then the transaction must not be committed.
pub(super) async fn insert_all(write: &mut Write, projects: &[&Project]) -> Result<(), ApiError> {
    for batch in projects.chunks(Write::AT_ONCE) {
        if !write.insert_projects(batch).await? {
            return Err(Conflict::ProjectIdTaken.into());
        }
        let events: Vec<_> =
            batch.iter().filter_map(|project| event("project.create", None, Some(*project))).collect();
        write.record_all(ChangeKind::Project, &events).await?;
    }
    Ok(())
}

/// The project after the patch, if the patch is allowed.
pub(super) async fn altered(
    records: &Records,
    write: &mut Write,
    organization: &Organization,
    before: &Project,
    patch: ProjectPatch,
) -> Result<Project, ApiError> {
    let after = Project {
        name: patch.name.map_or(Ok(before.name.clone()), labels::name).map_err(InvalidRequest::Name)?,
        environments: patch.environments.map_or(Ok(before.environments.clone()), environments)?,
        audiences: match patch.audiences {
            Some(list) if is_as(list.as_deref(), before.audiences.as_ref()) => before.audiences.clone(),
            Some(list) => audiences(records, organization, list)?,
            None => before.audiences.clone(),
        },
        ..before.clone()
    };
    if before.environments.iter().all(|environment| after.environments.contains(environment)) {
        return Ok(after);
    }
    let in_use = write.environments_in_use(&before.organization, Some(&before.id)).await?;
    match in_use.iter().find(|environment| !after.environments.contains(environment)) {
        Some(gone) => Err(Conflict::EnvironmentInUse(gone.clone()).into()),
        None => Ok(after),
    }
}

/// Stores changed projects, and records the changes.
pub(super) async fn update_all(write: &mut Write, changed: &[(&Project, &Project)]) -> Result<(), ApiError> {
    let after: Vec<_> = changed.iter().map(|(_, after)| *after).collect();
    write.update_projects(&after).await?;
    let events: Vec<_> = changed
        .iter()
        .filter_map(|(before, after)| event("project.change", Some(before), Some(after)))
        .collect();
    Ok(write.record_all(ChangeKind::Project, &events).await?)
}

/// Whether the list is the present one. An unchanged list is accepted even if the organization has narrowed its
/// audiences since.
pub(super) fn is_as(list: Option<&[String]>, there: Option<&Audiences>) -> bool {
    list == there.map(Audiences::as_slice)
}

fn environments(names: Vec<String>) -> Result<Environments, ApiError> {
    Ok(Environments::parse(names.iter().map(String::as_str)).map_err(InvalidRequest::Environments)?)
}

/// The requested audiences, which have to be among the organization's.
fn audiences(
    records: &Records,
    organization: &Organization,
    list: Option<Vec<String>>,
) -> Result<Option<Audiences>, ApiError> {
    let choice = audiences::left_of(&records.audiences, organization.audiences.as_ref(), None);
    Ok(list.map(|list| Audiences::among(&choice, list)).transpose().map_err(InvalidRequest::Audiences)?)
}

async fn record(
    write: &mut Write,
    action: &'static str,
    before: Option<&Project>,
    after: Option<&Project>,
) -> Result<(), ApiError> {
    let Some(event) = event(action, before, after) else { return Ok(()) };
    Ok(write.record(ChangeKind::Project, event).await?)
}

fn event(action: &'static str, before: Option<&Project>, after: Option<&Project>) -> Option<AuditEvent> {
    let project = after.or(before)?;
    Some(AuditEvent {
        action,
        organization: Some(project.organization.clone()),
        key: None,
        subject: project.path(),
        before: before.map(|before| json!(before)),
        after: after.map(|after| json!(after)),
    })
}
