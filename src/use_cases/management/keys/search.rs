//! Finds a key without knowing its organization.

use super::may;
use crate::domain::api_key::KeyClue;
use crate::domain::key::ApiKey;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::use_cases::access::Caller;
use crate::use_cases::management::listing::cursor;
use crate::use_cases::management::{ApiError, PageRequest, reading};

/// A page of the keys that match `clue` in all organizations, as far as the caller may read them, and the cursor of the
/// next. A page examines as many keys as its limit. It may have fewer keys, or none, even if there is a next page.
///
/// # Errors
/// [`ApiError`].
pub async fn search(
    records: &Records,
    caller: &Caller,
    clue: &KeyClue,
    page: PageRequest,
) -> Result<(Vec<ApiKey>, Option<String>), ApiError> {
    let list = format!("keys like {clue:?}");
    let behind: Option<String> = page.after(records, &list)?;
    let mut found = reading(records, caller)
        .await?
        .keys_beginning(clue.beginning(), behind.as_deref(), page.limit + 1)
        .await?;
    let there_are_more = found.len() > usize::from(page.limit);
    found.truncate(page.limit.into());
    let next = found.last().filter(|_| there_are_more).map(|key| key.id.to_string());
    found.retain(|key| clue.fits(&key.brand, &key.environment) && may(caller, key, Verb::Read).is_ok());
    Ok((found, cursor(records, &list, next)?))
}
