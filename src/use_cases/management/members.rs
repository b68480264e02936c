//! The members of organizations and of the deployment: inviting, reading, changing and removing them.

mod change;
mod code;
mod held_keys;
mod invite;
mod remove;
mod standings;

pub use change::{MemberPatch, change};
pub use code::{InvitationCode, InvitationCodeError};
pub use held_keys::{HeldKey, held_keys};
pub use invite::{Invited, NewMemberRequest, invite, renew};
pub use remove::remove;
pub use standings::{Standing, standings};

use super::ceiling::covers;
use super::listing::cursor;
use super::{ApiError, Conflict, InvalidRequest, PageRequest, organizations, reading};
use crate::domain::audit::AuditEvent;
use crate::domain::member::{Member, Role};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::person::MemberId;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::store::{ChangeKind, StoreError, Write};
use crate::use_cases::access::{Caller, visible_members};

/// A member, by the ids in a request's path. Without an organization it is one of the deployment.
#[derive(Clone, Debug)]
pub struct MemberPath {
    /// The organization in the path.
    pub organization: Option<OrganizationId>,
    /// The member in the path.
    pub member: MemberId,
}

/// A page of the members that the caller may read, newest first, and the cursor of the next.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    records: &Records,
    caller: &Caller,
    organization: Option<&OrganizationId>,
    page: PageRequest,
) -> Result<(Vec<Member>, Option<String>), ApiError> {
    if let Some(organization) = organization {
        organizations::known(records, caller, organization).await?;
    }
    let list = organization.map_or_else(|| "members".to_owned(), |id| format!("members of {id}"));
    let before = page.after(records, &list)?;
    let visible = visible_members(caller, organization);
    let found = reading(records, caller).await?.members(organization, &visible, before, page.limit).await?;
    Ok((found.items, cursor(records, &list, found.next)?))
}

/// Loads the member, for a caller who may read it.
///
/// # Errors
/// [`ApiError`].
pub async fn read(records: &Records, caller: &Caller, path: &MemberPath) -> Result<Member, ApiError> {
    may(caller, path, Verb::Read)?;
    let found = reading(records, caller).await?.member(path.organization.as_ref(), &path.member).await?;
    found.ok_or(ApiError::NotFound)
}

/// Checks that the caller may do `verb` to the member.
///
/// # Errors
/// [`ApiError`].
pub fn may(caller: &Caller, path: &MemberPath, verb: Verb) -> Result<(), ApiError> {
    Ok(caller.may_to_member(path.organization.as_ref(), verb, &path.member.to_string())?)
}

/// Checks that the caller may invite somebody.
///
/// # Errors
/// [`ApiError`].
pub fn may_invite(caller: &Caller, organization: Option<&OrganizationId>) -> Result<(), ApiError> {
    Ok(caller.may_to_all_members(organization, Verb::Write)?)
}

/// Loads the member inside `write`.
async fn find(write: &mut Write, path: &MemberPath) -> Result<Member, ApiError> {
    write.member(path.organization.as_ref(), &path.member).await?.ok_or(ApiError::NotFound)
}

/// Checks that the caller has every right of the member, as whoever makes somebody a member must.
fn may_raise(caller: &Caller, member: &Member) -> Result<(), ApiError> {
    covers(caller, &member.scopes())
}

/// Checks that a role fits its place and has the projects that it needs.
async fn check_role(write: &mut Write, member: &Member) -> Result<(), ApiError> {
    let Member { organization, role, projects, .. } = member;
    if role.is_of_deployment() != organization.is_none() {
        return Err(InvalidRequest::RoleOfOtherPlace.into());
    }
    let most = if *role == Role::Developer { 1..=Member::MAX_PROJECTS } else { 0..=0 };
    if !most.contains(&projects.len()) {
        return Err(InvalidRequest::ProjectsOfRole.into());
    }
    let Some(organization) = organization else { return Ok(()) };
    for project in projects {
        write.project(organization, project).await?.ok_or(InvalidRequest::NoSuchProject)?;
    }
    Ok(())
}

/// Projects in order, each once.
fn sorted(mut projects: Vec<ProjectId>) -> Vec<ProjectId> {
    projects.sort();
    projects.dedup();
    projects
}

/// Checks that an organization keeps an owner who can sign in, after `member` stops being one.
async fn ensure_owner_remains(write: &mut Write, member: &Member) -> Result<(), ApiError> {
    if is_last_owner(write, member).await? { Err(Conflict::LastOwner.into()) } else { Ok(()) }
}

/// Whether no other owner of the organization can sign in.
pub(in crate::use_cases) async fn is_last_owner(
    write: &mut Write,
    member: &Member,
) -> Result<bool, StoreError> {
    let Some(organization) = &member.organization else { return Ok(false) };
    let is_owner = member.is_active() && member.role == Role::Owner;
    Ok(is_owner && write.count_owners(organization).await? <= 1)
}

/// Adds what happens to a member to the audit trail.
pub(in crate::use_cases) async fn record(
    write: &mut Write,
    action: &'static str,
    before: Option<&Member>,
    after: Option<&Member>,
) -> Result<(), StoreError> {
    let Some(member) = after.or(before) else { return Ok(()) };
    let event = AuditEvent {
        action,
        organization: member.organization.clone(),
        key: None,
        subject: member.id.to_string(),
        before: before.map(|before| before.recorded(write.at())),
        after: after.map(|after| after.recorded(write.at())),
    };
    write.record(ChangeKind::Member, event).await
}
