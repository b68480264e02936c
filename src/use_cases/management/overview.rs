//! What an organization's keys are like at a glance.

use super::usage::{self, PeriodRequest};
use super::{ApiError, organizations, reading, signing_keys};
use crate::base::clock::Timestamp;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::usage::Interval;
use crate::node::{Records, Signer};
use crate::store::{CountLimits, KeyCounts, VisibleKeys};
use crate::use_cases::access::{Caller, reachable_keys};

const DAY: i64 = 86_400;

/// A key that ends within this many seconds ends soon: 30 days.
const SOON: i64 = 30 * DAY;

/// A key that was not used for this many seconds is idle: 90 days.
const IDLE: i64 = 90 * DAY;

/// An organization at a glance, as far as the caller may see it.
#[derive(Debug)]
pub struct Overview {
    /// The number of keys. `None` for a caller who may not read all keys of the organization.
    pub keys: Option<KeyCounts>,
    /// The refusals of keys in the last day, to within an hour. `None` for a caller who may not read the use of all keys.
    pub refusals: Option<u64>,
    /// When the next signing key takes over. `None` for a caller who may not read signing keys.
    pub rotation: Option<Timestamp>,
}

/// The overview of an organization.
///
/// # Errors
/// [`ApiError`].
pub async fn overview(
    records: &Records,
    signer: &Signer,
    caller: &Caller,
    organization: &OrganizationId,
) -> Result<Overview, ApiError> {
    organizations::known(records, caller, organization).await?;
    let now = records.clock.now();
    let keys = match reachable_keys(caller, Verb::Read, organization) {
        VisibleKeys::All => {
            let limits = CountLimits { now, ends_before: now.plus(SOON), unused_since: now.plus(-IDLE) };
            Some(reading(records, caller).await?.key_counts(organization, &limits).await?)
        }
        VisibleKeys::Only(_) => None,
    };
    let refusals = match caller.may_in(organization, Verb::Read, &["usage"]) {
        Ok(()) => Some(refusals_since(records, caller, organization, now.plus(-DAY)).await?),
        Err(_) => None,
    };
    Ok(Overview { keys, refusals, rotation: signing_keys::next_rotation(signer, caller, now).ok().flatten() })
}

async fn refusals_since(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    from: Timestamp,
) -> Result<u64, ApiError> {
    let period = PeriodRequest { interval: Interval::Hour, from: Some(from), to: None };
    let used = usage::of_organization(records, caller, organization, None, period).await?;
    Ok(used.buckets().iter().map(|bucket| bucket.refused.total()).sum())
}
