//! The use of keys over time.

mod by_key;

pub use by_key::{KeyUse, by_key};

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use super::keys::{self, KeyPath};
use super::{ApiError, InvalidRequest, organizations, portal_bounds, reading};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::key::ApiKey;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::portal::PortalAct;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::scope::Verb;
use crate::domain::usage::{Interval, Period, UseCounts, UseKind};
use crate::node::Records;
use crate::store::UseBuckets;
use crate::use_cases::access::Caller;

/// The requested period. Absent members get defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeriodRequest {
    /// The length of the buckets.
    pub interval: Interval,
    /// A time in the first bucket.
    pub from: Option<Timestamp>,
    /// The end of the period.
    pub to: Option<Timestamp>,
}

/// Every bucket of a period, the oldest first. Its serialized form is the answer of the management API.
#[derive(Debug, Serialize)]
pub struct Usage {
    interval: Interval,
    from: Timestamp,
    to: Timestamp,
    data: Vec<Bucket>,
}

/// The use in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The beginning of the bucket.
    pub start: Timestamp,
    /// The issued tokens.
    pub tokens: u64,
    /// How often this server checked the key, or a token of the key, and accepted it.
    pub direct: u64,
    /// How often it was refused.
    pub refused: Refused,
}

/// The number of refusals, by their reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The key was revoked.
    pub revoked: u64,
    /// The key had expired.
    pub expired: u64,
    /// The key was disabled.
    pub disabled: u64,
    /// The caller's address was outside the key's ranges.
    pub address: u64,
    /// The secret was wrong.
    pub secret: u64,
    /// The key requires a proof of possession, and none came.
    pub proof: u64,
}

/// The use of a key.
///
/// # Errors
/// [`ApiError`].
pub async fn of_key(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    request: PeriodRequest,
) -> Result<Usage, ApiError> {
    keys::find(records, caller, path, Verb::Read).await?;
    portal_bounds::allows(caller, PortalAct::Usage)?;
    let period = request.read(records.clock.now())?;
    let used = reading(records, caller).await?.key_use(&path.key, &period).await?;
    Ok(Usage::of(period, &used))
}

/// The use of the keys of an organization, or of one of its projects.
///
/// # Errors
/// [`ApiError`].
pub async fn of_organization(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    project: Option<&ProjectId>,
    request: PeriodRequest,
) -> Result<Usage, ApiError> {
    caller.may_in(organization, Verb::Read, &["usage"])?;
    organizations::known(records, caller, organization).await?;
    let period = request.read(records.clock.now())?;
    let used = reading(records, caller).await?.organization_use(organization, project, &period).await?;
    Ok(Usage::of(period, &used))
}

/// The use of the keys of each project of an organization, over the whole period.
///
/// # Errors
/// [`ApiError`].
pub async fn by_project(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    request: PeriodRequest,
) -> Result<Vec<(ProjectId, Bucket)>, ApiError> {
    caller.may_in(organization, Verb::Read, &["usage"])?;
    organizations::known(records, caller, organization).await?;
    let period = request.read(records.clock.now())?;
    let used = reading(records, caller).await?.projects_use(organization, &period).await?;
    Ok(used.into_iter().map(|(project, counts)| (project, Bucket::of(period.from(), &counts))).collect())
}

/// The use of each of these keys, without those that the caller may not read.
///
/// # Errors
/// [`ApiError`].
pub async fn of_keys(
    records: &Records,
    caller: &Caller,
    listed: &[ApiKey],
    request: PeriodRequest,
) -> Result<BTreeMap<KeyId, Usage>, ApiError> {
    if portal_bounds::allows(caller, PortalAct::Usage).is_err() {
        return Ok(BTreeMap::new());
    }
    let period = request.read(records.clock.now())?;
    let readable = listed.iter().filter(|key| keys::may(caller, key, Verb::Read).is_ok());
    let ids: Vec<KeyId> = readable.map(|key| key.id).collect();
    let mut used = reading(records, caller).await?.keys_use(&ids, &period).await?;
    let usage = |id| (id, Usage::of(period, &used.remove(&id).unwrap_or_default()));
    Ok(ids.into_iter().map(usage).collect())
}

impl PeriodRequest {
    fn read(self, now: Timestamp) -> Result<Period, ApiError> {
        Ok(Period::new(self.interval, self.from, self.to, now).map_err(InvalidRequest::Period)?)
    }
}

impl Bucket {
    /// How often the key was used. Refusals do not count.
    pub const fn used(&self) -> u64 {
        self.tokens + self.direct
    }

    /// How much this is of the busiest use beside it, in percent.
    pub const fn percent_of(&self, busiest: u64) -> u64 {
        self.used() * 100 / if busiest == 0 { 1 } else { busiest }
    }

    /// All uses and refusals.
    pub const fn total(&self) -> u64 {
        self.used() + self.refused.total()
    }
}

impl AddAssign for Bucket {
    /// Adds both. The sum keeps the beginning of the first.
    fn add_assign(&mut self, more: Self) {
        self.tokens += more.tokens;
        self.direct += more.direct;
        self.refused.revoked += more.refused.revoked;
        self.refused.expired += more.refused.expired;
        self.refused.disabled += more.refused.disabled;
        self.refused.address += more.refused.address;
        self.refused.secret += more.refused.secret;
        self.refused.proof += more.refused.proof;
    }
}

impl Refused {
    /// All refusals, for whatever reason.
    pub const fn total(&self) -> u64 {
        self.revoked + self.expired + self.disabled + self.address + self.secret + self.proof
    }
}

impl Usage {
    /// The length of the buckets.
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// The buckets, the oldest first.
    pub fn buckets(&self) -> &[Bucket] {
        &self.data
    }

    fn of(period: Period, used: &UseBuckets) -> Self {
        let bucket = |start| Bucket::of(start, &used.get(&start).copied().unwrap_or_default());
        Self {
            interval: period.interval(),
            from: period.from(),
            to: period.to(),
            data: period.starts().map(bucket).collect(),
        }
    }
}

impl Bucket {
    fn of(start: Timestamp, counts: &UseCounts) -> Self {
        let refused = |reason| counts.of(UseKind::Refused(reason));
        Self {
            start,
            tokens: counts.of(UseKind::Token),
            direct: counts.of(UseKind::Direct),
            refused: Refused {
                revoked: refused(RefusalReason::Revoked),
                expired: refused(RefusalReason::Expired),
                disabled: refused(RefusalReason::Disabled),
                address: refused(RefusalReason::Address),
                secret: refused(RefusalReason::Secret),
                proof: refused(RefusalReason::Proof),
            },
        }
    }
}
