//! The keys whose secrets a member has seen.

use serde::Serialize;

use super::{MemberPath, read};
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::store::KeyOfMember;
use crate::use_cases::access::Caller;
use crate::use_cases::management::listing::cursor;
use crate::use_cases::management::{ApiError, PageRequest, keys, reading};

/// A key that a member created or rotated. It serializes to the form that the management API shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldKey {
    /// The key's id.
    pub id: String,
    /// The organization that owns it.
    pub organization: String,
    /// The project of the key.
    pub project: String,
    /// Its name.
    pub name: String,
}

/// A page of the unrevoked keys that a member created or rotated, newest first, and the cursor of the next. It has only
/// those that the caller may read, and can have fewer than the page asks for.
///
/// # Errors
/// [`ApiError`].
pub async fn held_keys(
    records: &Records,
    caller: &Caller,
    path: &MemberPath,
    page: PageRequest,
) -> Result<(Vec<HeldKey>, Option<String>), ApiError> {
    let member = read(records, caller, path).await?;
    let list = format!("keys of {}", member.id);
    let before = page.after(records, &list)?;
    let found = reading(records, caller).await?.keys_of_member(&member, before, page.limit).await?;
    let is_visible = |key: &KeyOfMember| {
        keys::may_at(caller, (&key.organization, &key.project, key.id), Verb::Read).is_ok()
    };
    let shown = found.items.into_iter().filter(is_visible).map(|key| HeldKey {
        id: key.id.to_string(),
        organization: key.organization.to_string(),
        project: key.project.to_string(),
        name: key.name,
    });
    Ok((shown.collect(), cursor(records, &list, found.next)?))
}
