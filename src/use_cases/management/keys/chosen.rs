//! Acts on keys that somebody chose in a list. A key that it can't be done to stays as it is, and the others change
//! together.

use std::collections::BTreeMap;

use super::bulk::{MOST, Suspension, may_change_some};
use super::{KeySearch, may, update_all};
use crate::base::clock::Timestamp;
use crate::domain::key::{ApiKey, TagFilter, Tags, labels};
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::sharing::background;
use crate::store::Write;
use crate::use_cases::access::{Caller, reachable_keys};
use crate::use_cases::management::ceiling::may_change;
use crate::use_cases::management::last_admin::{ensure_admin_remains, weakens_admin};
use crate::use_cases::management::portal_bounds;
use crate::use_cases::management::{ApiError, Etag, Force, InvalidRequest, Terms, Versioned, organizations};

/// What is done to chosen keys.
#[derive(Clone, Debug)]
pub enum ChosenAct {
    /// Revokes them, with a reason for the audit trail.
    Revoke(Option<String>),
    /// Disables or enables them.
    Suspend(Suspension),
    /// Gives them tags and takes tags away. Without any, it only says which keys could be tagged.
    Retag {
        /// The tags to add. One with the same name is replaced.
        add: Tags,
        /// The tags to remove.
        remove: Vec<TagFilter>,
    },
}

/// The chosen keys, and what is done to them.
#[derive(Debug)]
pub struct Chosen {
    /// The keys that it is done to, as they were before.
    pub able: Vec<ApiKey>,
    /// The keys that stay as they are, and why.
    pub kept: Vec<(ApiKey, Kept)>,
    /// The number of keys that have changed, or would change.
    pub changed: usize,
    version: Etag,
}

/// Why a chosen key stays as it is.
#[derive(Debug)]
pub enum Kept {
    /// It is revoked.
    Revoked,
    /// It is already as it would become.
    AsItIs,
    /// The act is refused for it.
    Refused(ApiError),
}

/// The version of all chosen keys together.
impl Versioned for Chosen {
    fn etag(&self) -> Etag {
        self.version.clone()
    }
}

/// Checks that the caller may change any key of the organization at all.
///
/// # Errors
/// [`ApiError`].
pub fn may_act_on_some(caller: &Caller, organization: &OrganizationId) -> Result<(), ApiError> {
    portal_bounds::never(caller)?;
    may_change_some(caller, &crate::store::KeyFilter::all_of(organization.clone()))
}

/// Does `act` to each key that the search finds and that it can be done to, all of them in one transaction. The search
/// finds only keys that the caller may read. `terms.if_match` is about the version of all keys that it finds, and counts
/// for nothing once no key is left to change, so that a repeated request is harmless.
///
/// # Errors
/// [`ApiError`]. Then no key has changed.
pub async fn act_on_chosen(
    records: &Records,
    caller: &Caller,
    search: &KeySearch,
    act: &ChosenAct,
    terms: &Terms,
) -> Result<Chosen, ApiError> {
    background::expect_here();
    let filter = search.filter();
    may_act_on_some(caller, &filter.organization)?;
    organizations::known(records, caller, &filter.organization).await?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let visible = reachable_keys(caller, Verb::Read, &filter.organization);
    let found = write.visible_keys(filter, visible, MOST).await?;
    if found.next.is_some() {
        return Err(InvalidRequest::TooManySelected(MOST).into());
    }
    let mut plan = Plan::of(caller, act, found.items, write.at());
    plan.keep_an_admin(&mut write, caller).await?;
    let changing: Vec<_> = plan.able.iter().filter(|(before, after)| is_changed(before, after)).collect();
    let changed = changing.len();
    let chosen = |plan: Plan| Chosen {
        able: plan.able.into_iter().map(|(before, _)| before).collect(),
        kept: plan.kept,
        changed,
        version: plan.version,
    };
    if terms.dry_run || changed == 0 {
        drop(write);
        return Ok(chosen(plan));
    }
    terms.hold_for(&plan)?;
    let changing: Vec<_> = changing.into_iter().map(|(before, after)| (before, after)).collect();
    update_all(&mut write, act.action(), &changing).await?;
    records.commit(write).await?;
    Ok(chosen(plan))
}

/// What is to become of the keys.
struct Plan {
    /// The keys before and after.
    able: Vec<(ApiKey, ApiKey)>,
    kept: Vec<(ApiKey, Kept)>,
    version: Etag,
}

impl Versioned for Plan {
    fn etag(&self) -> Etag {
        self.version.clone()
    }
}

impl Plan {
    fn of(caller: &Caller, act: &ChosenAct, keys: Vec<ApiKey>, now: Timestamp) -> Self {
        let versions: Vec<_> = keys.iter().map(|key| key.etag().to_string()).collect();
        let version = Etag::of_bytes(versions.concat().as_bytes());
        let mut plan = Self { able: Vec::new(), kept: Vec::new(), version };
        for key in keys {
            match act.of(caller, &key, now) {
                Ok(after) => plan.able.push((key, after)),
                Err(kept) => plan.kept.push((key, kept)),
            }
        }
        plan
    }

    /// Keeps every administrator key as it is if nobody could administer the deployment afterwards.
    async fn keep_an_admin(&mut self, write: &mut Write, caller: &Caller) -> Result<(), ApiError> {
        let changes: Vec<_> = self.able.iter().map(|(before, after)| (before, Some(after))).collect();
        let reason = match ensure_admin_remains(write, caller, &changes, Force::No).await {
            Err(ApiError::Conflict(reason)) => reason,
            others => return others,
        };
        let now = write.at();
        let all = std::mem::take(&mut self.able).into_iter();
        let (weakening, able): (Vec<_>, Vec<_>) =
            all.partition(|(before, after)| weakens_admin(caller, &(before, Some(after)), now));
        self.able = able;
        let refused = |(before, _)| (before, Kept::Refused(ApiError::Conflict(reason.clone())));
        self.kept.extend(weakening.into_iter().map(refused));
        Ok(())
    }
}

impl ChosenAct {
    /// A revocation.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a reason that can't be recorded.
    pub fn revoke(reason: Option<String>) -> Result<Self, ApiError> {
        Ok(Self::Revoke(reason.map(labels::reason).transpose().map_err(InvalidRequest::Reason)?))
    }

    /// The audit trail's name for what happens to each key.
    const fn action(&self) -> &'static str {
        match self {
            Self::Revoke(_) => "key.revoke",
            Self::Suspend(suspension) => suspension.action(),
            Self::Retag { .. } => "key.change",
        }
    }

    /// The key afterwards.
    fn of(&self, caller: &Caller, key: &ApiKey, now: Timestamp) -> Result<ApiKey, Kept> {
        may(caller, key, Verb::Write).map_err(|denied| Kept::Refused(denied.into()))?;
        if key.revoked.is_some() {
            return Err(Kept::Revoked);
        }
        let after = match self {
            // As for a single key, this needs no more rights.
            Self::Revoke(reason) => return Ok(key.clone().revoke(now, reason.clone())),
            Self::Suspend(suspension) => suspension.of(caller, key, now),
            Self::Retag { add, remove } => retagged(caller, key, add, remove),
        };
        let after = after.map_err(Kept::Refused)?;
        if self.says_something() && !is_changed(key, &after) { Err(Kept::AsItIs) } else { Ok(after) }
    }

    fn says_something(&self) -> bool {
        match self {
            Self::Revoke(_) | Self::Suspend(_) => true,
            Self::Retag { add, remove } => !add.is_empty() || !remove.is_empty(),
        }
    }
}

fn retagged(caller: &Caller, key: &ApiKey, add: &Tags, remove: &[TagFilter]) -> Result<ApiKey, ApiError> {
    let is_kept = |(name, value): &(&str, &str)| {
        Tags::new([(name, value)]).is_ok_and(|tag| !remove.iter().any(|filter| filter.fits(&tag)))
    };
    let tags: BTreeMap<&str, &str> = key.tags.iter().filter(is_kept).chain(add.iter()).collect();
    let tags = Tags::new(tags).map_err(|error| InvalidRequest::Value(error.into()))?;
    let after = ApiKey { tags, ..key.clone() }.following(key);
    may_change(caller, key, &after)?;
    Ok(after)
}

fn is_changed(before: &ApiKey, after: &ApiKey) -> bool {
    !after.is_as(before) || after.revoked != before.revoked
}
