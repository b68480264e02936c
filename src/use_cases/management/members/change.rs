//! Changes what a member may do, and their name.

use serde::Deserialize;

use super::{MemberPath, check_role, ensure_owner_remains, find, may, may_raise, record, sorted};
use crate::domain::key::labels;
use crate::domain::member::{Member, MemberSource, Role};
use crate::domain::names::ProjectId;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::nullable::nullable;
use crate::use_cases::management::{ApiError, Changed, Conflict, InvalidRequest, Terms};

/// The body of a change. An absent member stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with a member's members")]
pub struct MemberPatch {
    /// The name.
    #[serde(deserialize_with = "nullable")]
    pub name: Option<String>,
    /// What the member may do. A developer who becomes something else loses the projects.
    #[serde(deserialize_with = "nullable")]
    pub role: Option<Role>,
    /// The projects of a developer.
    #[serde(deserialize_with = "nullable")]
    pub projects: Option<Vec<ProjectId>>,
}

/// Changes a member. The member's sessions go on, with the new rights from the next request on.
///
/// # Errors
/// [`ApiError`]. Then the member has not changed. [`ApiError::Conflict`] for the role of a member by groups: the next sign-in
/// would undo it.
pub async fn change(
    records: &Records,
    caller: &Caller,
    path: &MemberPath,
    patch: MemberPatch,
    terms: &Terms,
) -> Result<Changed<Member>, ApiError> {
    may(caller, path, Verb::Write)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = find(&mut write, path).await?;
    terms.hold_for(&before)?;
    let after = altered(&before, patch)?;
    if (before.role, &before.projects) != (after.role, &after.projects) {
        may_raise(caller, &before)?;
        may_raise(caller, &after)?;
        if before.source == MemberSource::Groups {
            return Err(Conflict::RoleFromGroups.into());
        }
        check_role(&mut write, &after).await?;
        if after.role != Role::Owner {
            ensure_owner_remains(&mut write, &before).await?;
        }
    }
    if !terms.dry_run && before != after {
        write.update_member(&after).await?;
        record(&mut write, "member.change", Some(&before), Some(&after)).await?;
        records.commit(write).await?;
    }
    Ok(Changed { before, after, dry_run: terms.dry_run })
}

fn altered(before: &Member, patch: MemberPatch) -> Result<Member, ApiError> {
    let role = patch.role.unwrap_or(before.role);
    let projects = match patch.projects {
        Some(projects) => sorted(projects),
        None if role == before.role => before.projects.clone(),
        None => Vec::new(),
    };
    let name = patch.name.map_or(Ok(before.name.clone()), labels::name).map_err(InvalidRequest::Name)?;
    Ok(Member { name, ..before.with_role(role, projects) })
}
