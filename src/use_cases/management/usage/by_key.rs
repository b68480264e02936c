//! The keys of an organization that are used most.

use super::Bucket;
use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::usage::CalendarPeriod;
use crate::node::Records;
use crate::store::{KeyLabel, KeyTotal};
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, InvalidRequest, keys, organizations, reading};

/// The use of a key in a period.
#[derive(Debug)]
pub struct KeyUse {
    /// The id of the key.
    pub key: KeyId,
    /// The name and place of the key. `None` when it is deleted, or the caller may not read it.
    pub label: Option<KeyLabel>,
    /// The use in the period. The bucket begins with the period.
    pub used: Bucket,
}

/// At most `limit` of the organization's keys that were used in a period, the busiest first.
///
/// # Errors
/// [`ApiError`]. [`ApiError::InvalidRequest`] for a period that has not begun, or that is no longer kept.
pub async fn by_key(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    period: CalendarPeriod,
    limit: u16,
) -> Result<Vec<KeyUse>, ApiError> {
    caller.may_in(organization, Verb::Read, &["usage"])?;
    organizations::known(records, caller, organization).await?;
    let period = period.known_at(records.clock.now()).map_err(|error| InvalidRequest::Value(error.into()))?;
    let totals = reading(records, caller).await?.busiest_keys(organization, period, limit).await?;
    let readable =
        |key, label: &KeyLabel| keys::may_at(caller, (organization, &label.project, key), Verb::Read).is_ok();
    let shown = |KeyTotal { key, label, counts }: KeyTotal| KeyUse {
        key,
        label: label.filter(|label| readable(key, label)),
        used: Bucket::of(period.start(), &counts),
    };
    Ok(totals.into_iter().map(shown).collect())
}
