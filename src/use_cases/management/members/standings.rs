//! What a caller may know about people by their ids.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, reading};

/// Whether an id is a member's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is that of a member of this organization, or of the deployment.
    Member {
        /// The member's name.
        name: String,
        /// The organization. `None` for the deployment.
        organization: Option<OrganizationId>,
    },
    /// It is no member's, or no longer.
    Gone,
}

/// What the caller may know about these ids, which stand in `organization`. Nothing is known of an id whose member the caller
/// may not read. That an id is no member's is known to those who may read all members of the organization.
///
/// # Errors
/// [`ApiError`].
pub async fn standings(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    ids: BTreeSet<MemberId>,
) -> Result<BTreeMap<MemberId, Standing>, ApiError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<MemberId> = ids.into_iter().collect();
    let found = reading(records, caller).await?.members_among(&ids).await?;
    let reads_all = caller.may_to_all_members(Some(organization), Verb::Read).is_ok();
    let standing = |id: &MemberId| {
        let Some(member) = found.iter().find(|member| member.id == *id) else {
            return reads_all.then_some(Standing::Gone);
        };
        let place = member.organization.as_ref();
        let may_read = caller.may_to_member(place, Verb::Read, &id.to_string()).is_ok();
        match place {
            // A member of another organization is as unknown here as one that was removed.
            Some(other) if other != organization => reads_all.then_some(Standing::Gone),
            _ => {
                may_read.then(|| Standing::Member { name: member.name.clone(), organization: place.cloned() })
            }
        }
    };
    Ok(ids.iter().filter_map(|id| Some((*id, standing(id)?))).collect())
}
