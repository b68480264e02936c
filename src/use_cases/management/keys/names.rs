//! The names of keys that something else mentions by their ids.

use std::collections::BTreeMap;

use super::may_at;
use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, reading};

/// The organization and the name of each of these keys, except of those that are deleted or that the caller may not
/// read.
///
/// # Errors
/// [`ApiError`].
pub async fn names(
    records: &Records,
    caller: &Caller,
    ids: &[KeyId],
) -> Result<BTreeMap<KeyId, (OrganizationId, String)>, ApiError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let labels = reading(records, caller).await?.key_labels(ids).await?;
    let readable = labels.into_iter().filter(|(id, (organization, label))| {
        may_at(caller, (organization, &label.project, *id), Verb::Read).is_ok()
    });
    Ok(readable.map(|(id, (organization, label))| (id, (organization, label.name))).collect())
}
