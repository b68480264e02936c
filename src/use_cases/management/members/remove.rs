//! Removes a member.

use super::{MemberPath, ensure_owner_remains, find, may, record};
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::ApiError;

/// Removes a member, or takes back an invitation. Sessions end at once. Keys that the member created or rotated stay.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] for the last owner of an organization.
pub async fn remove(records: &Records, caller: &Caller, path: &MemberPath) -> Result<(), ApiError> {
    may(caller, path, Verb::Write)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = find(&mut write, path).await?;
    ensure_owner_remains(&mut write, &before).await?;
    write.remove_member(&before.id).await?;
    record(&mut write, "member.remove", Some(&before), None).await?;
    Ok(records.commit(write).await?)
}
