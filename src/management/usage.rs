//! How keys were used, over time.

use std::sync::Arc;

use serde::Serialize;

use super::keys::{self, KeyPath};
use super::{ApiError, organizations};
use crate::access::Caller;
use crate::clock::Timestamp;
use crate::names::{OrganizationId, ProjectId};
use crate::node::Node;
use crate::scope::Verb;
use crate::store::UseBuckets;
use crate::usage::{Interval, Period, RefusedFor, UseCounts, UseKind};

/// Which stretch of time somebody asks about, as far as they say.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeriodRequest {
    /// How long the buckets are to be.
    pub interval: Interval,
    /// In which bucket to begin.
    pub from: Option<Timestamp>,
    /// Where to end.
    pub to: Option<Timestamp>,
}

/// Every bucket of a period, the oldest first. Serialized, it is what the management API shows.
#[derive(Debug, Serialize)]
pub struct Usage {
    interval: Interval,
    from: Timestamp,
    to: Timestamp,
    data: Vec<Bucket>,
}

#[derive(Debug, Serialize)]
struct Bucket {
    start: Timestamp,
    tokens: u64,
    direct: u64,
    refused: Refused,
}

#[derive(Debug, Serialize)]
struct Refused {
    revoked: u64,
    expired: u64,
    address: u64,
    secret: u64,
}

/// How a key was used.
///
/// # Errors
/// [`ApiError`].
pub async fn of_key(
    node: &Arc<Node>,
    caller: &Caller,
    path: &KeyPath,
    request: PeriodRequest,
) -> Result<Usage, ApiError> {
    keys::find(node, caller, path, Verb::Read).await?;
    let period = request.read(node.clock.now())?;
    Ok(Usage::of(period, &node.store.key_use(&path.key, &period).await?))
}

/// How the keys of an organization were used, or of one project of it.
///
/// # Errors
/// [`ApiError`].
pub async fn of_organization(
    node: &Arc<Node>,
    caller: &Caller,
    organization: &OrganizationId,
    project: Option<&ProjectId>,
    request: PeriodRequest,
) -> Result<Usage, ApiError> {
    caller.may_in(organization, Verb::Read, &["usage"])?;
    organizations::known(node, caller, organization).await?;
    let period = request.read(node.clock.now())?;
    Ok(Usage::of(period, &node.store.organization_use(organization, project, &period).await?))
}

impl PeriodRequest {
    fn read(self, now: Timestamp) -> Result<Period, ApiError> {
        Period::new(self.interval, self.from, self.to, now).map_err(ApiError::invalid)
    }
}

impl Usage {
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
                revoked: refused(RefusedFor::Revoked),
                expired: refused(RefusedFor::Expired),
                address: refused(RefusedFor::Address),
                secret: refused(RefusedFor::Secret),
            },
        }
    }
}
