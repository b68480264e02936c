//! Changes many keys at once, all of them or none.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{KeySearch, may, update_all};
use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, KeyId};
use crate::domain::key::{ApiKey, Owner, TagFilter, labels};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::{Scope, Scopes, Verb};
use crate::node::Records;
use crate::sharing::background;
use crate::store::{KeyFilter, StatusFilter, VisibleKeys, Write};
use crate::use_cases::access::{Caller, reachable_keys};
use crate::use_cases::management::ceiling::may_change;
use crate::use_cases::management::last_admin::ensure_admin_remains;
use crate::use_cases::management::nullable::nullable;
use crate::use_cases::management::portal_bounds;
use crate::use_cases::management::{ApiError, InvalidRequest, Terms, changes, moment, organizations};

/// The most keys of one change.
pub(super) const MOST: u16 = 10_000;

/// A filter for unrevoked keys. At least one member has to be present.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with what to filter by")]
pub struct Selection {
    project: Option<ProjectId>,
    environment: Option<EnvironmentSlug>,
    created_by: Option<String>,
    unused_since: Option<String>,
    q: Option<String>,
    tag: Option<Vec<TagFilter>>,
    owner: Option<Owner>,
    earlier_master_key: Option<bool>,
}

/// The body of a revocation of many keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a filter")]
pub struct BulkRevocation {
    filter: Selection,
    reason: Option<String>,
}

/// The body of a request that disables or enables many keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a filter")]
pub struct BulkDisabling {
    filter: Selection,
}

/// The body of a change of the scopes of many keys: it replaces them, or adds and removes some.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a filter and scopes")]
pub struct Rescoping {
    filter: Selection,
    #[serde(default, deserialize_with = "nullable")]
    scopes: Option<Vec<Scope>>,
    #[serde(default, deserialize_with = "nullable")]
    add: Option<Vec<Scope>>,
    #[serde(default, deserialize_with = "nullable")]
    remove: Option<Vec<Scope>>,
}

/// What was changed, or would be.
#[derive(Debug, Serialize)]
pub struct BulkAnswer {
    dry_run: bool,
    count: usize,
    data: Vec<ChangedKey>,
}

#[derive(Debug, Serialize)]
struct ChangedKey {
    id: KeyId,
    name: String,
    project: ProjectId,
    environment: EnvironmentSlug,
    changes: Map<String, Value>,
}

/// Revokes all keys of an organization that a filter finds.
///
/// # Errors
/// [`ApiError`]. Then no key has changed.
pub async fn revoke_all(
    records: &Records,
    caller: &Caller,
    organization: OrganizationId,
    request: BulkRevocation,
    terms: &Terms,
) -> Result<BulkAnswer, ApiError> {
    let now = records.clock.now();
    let reason = request.reason.map(labels::reason).transpose().map_err(InvalidRequest::Reason)?;
    let search = request.filter.search(organization)?;
    let revoke = |key: &ApiKey| Ok(key.clone().revoke(now, reason.clone()));
    change_all(records, caller, search, "key.revoke", revoke, terms).await
}

/// What [`suspend_all`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspension {
    /// Disables keys.
    Disable,
    /// Enables keys.
    Enable,
}

impl Suspension {
    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::Disable => "key.disable",
            Self::Enable => "key.enable",
        }
    }

    /// The key after it, if the caller may do that.
    pub(super) fn of(self, caller: &Caller, key: &ApiKey, now: Timestamp) -> Result<ApiKey, ApiError> {
        let after = match self {
            Self::Disable => key.clone().disable(now),
            Self::Enable => key.clone().enable(),
        };
        let after = after.following(key);
        may_change(caller, key, &after)?;
        Ok(after)
    }
}

/// Disables or enables all keys of an organization that a filter finds.
///
/// # Errors
/// [`ApiError`]. Then no key has changed.
pub async fn suspend_all(
    records: &Records,
    caller: &Caller,
    organization: OrganizationId,
    request: BulkDisabling,
    suspension: Suspension,
    terms: &Terms,
) -> Result<BulkAnswer, ApiError> {
    let now = records.clock.now();
    let search = request.filter.search(organization)?;
    let change = |key: &ApiKey| suspension.of(caller, key, now);
    change_all(records, caller, search, suspension.action(), change, terms).await
}

/// Changes the scopes of all keys of an organization that a filter finds.
///
/// # Errors
/// [`ApiError`]. Then no key has changed.
pub async fn rescope_all(
    records: &Records,
    caller: &Caller,
    organization: OrganizationId,
    request: Rescoping,
    terms: &Terms,
) -> Result<BulkAnswer, ApiError> {
    let new = NewScopes::read(request.scopes, request.add, request.remove)?;
    let search = request.filter.search(organization)?;
    let rescope = |key: &ApiKey| {
        let after = ApiKey { scopes: new.of(key)?, ..key.clone() }.following(key);
        may_change(caller, key, &after)?;
        Ok(after)
    };
    change_all(records, caller, search, "key.change", rescope, terms).await
}

async fn change_all(
    records: &Records,
    caller: &Caller,
    search: KeySearch,
    action: &'static str,
    change: impl Fn(&ApiKey) -> Result<ApiKey, ApiError>,
    terms: &Terms,
) -> Result<BulkAnswer, ApiError> {
    background::expect_here();
    portal_bounds::never(caller)?;
    let filter = search.filter();
    organizations::known(records, caller, &filter.organization).await?;
    may_change_some(caller, filter)?;
    let now = records.clock.now();
    let mut write = records.store.write(now, &caller.actor()).await?;
    let changed = changed(&mut write, caller, filter, change).await?;
    let changes: Vec<_> = changed.iter().map(|(before, after)| (before, Some(after))).collect();
    ensure_admin_remains(&mut write, caller, &changes, terms.force).await?;
    if terms.dry_run || changed.is_empty() {
        drop(write);
    } else {
        let changed: Vec<_> = changed.iter().map(|(before, after)| (before, after)).collect();
        update_all(&mut write, action, &changed).await?;
        records.commit(write).await?;
    }
    // This follows the transaction, in which it would keep all other writers waiting.
    let data: Vec<ChangedKey> = changed.iter().map(|(before, after)| touched(before, after, now)).collect();
    Ok(BulkAnswer { dry_run: terms.dry_run, count: data.len(), data })
}

/// The keys that the filter finds and that the change affects, before and after. It fails unless the caller may change
/// every key that the filter finds.
async fn changed(
    write: &mut Write,
    caller: &Caller,
    filter: &KeyFilter,
    change: impl Fn(&ApiKey) -> Result<ApiKey, ApiError>,
) -> Result<Vec<(ApiKey, ApiKey)>, ApiError> {
    let found = write.keys(filter, MOST).await?;
    if found.next.is_some() {
        return Err(InvalidRequest::TooManySelected(MOST).into());
    }
    let mut changed = Vec::new();
    for before in found.items {
        may(caller, &before, Verb::Write).map_err(|_| missing(caller, filter))?;
        let after = change(&before)?;
        if !after.is_as(&before) || after.revoked != before.revoked {
            changed.push((before, after));
        }
    }
    Ok(changed)
}

/// Checks this before existence: a caller who may change no key at all gets an error whatever the filter finds.
pub(super) fn may_change_some(caller: &Caller, filter: &KeyFilter) -> Result<(), ApiError> {
    match reachable_keys(caller, Verb::Write, &filter.organization) {
        VisibleKeys::Only(none) if none.is_empty() => Err(missing(caller, filter)),
        VisibleKeys::Only(_) | VisibleKeys::All => Ok(()),
    }
}

/// The scope that the caller needs to change whatever the filter finds. It names no single key.
fn missing(caller: &Caller, filter: &KeyFilter) -> ApiError {
    let project = filter.project.as_ref().map_or("*", ProjectId::as_str);
    let wanted = caller.may_all_in(&filter.organization, Verb::Write, &["projects", project, "keys", "*"]);
    wanted.err().map_or(ApiError::NotFound, ApiError::from)
}

fn touched(before: &ApiKey, after: &ApiKey, now: Timestamp) -> ChangedKey {
    ChangedKey {
        id: after.id,
        name: after.name.clone(),
        project: after.project.clone(),
        environment: after.environment.clone(),
        changes: changes(&before.view(now), &after.view(now)),
    }
}

impl Selection {
    fn search(self, organization: OrganizationId) -> Result<KeySearch, ApiError> {
        let says_something = self.project.is_some()
            || self.environment.is_some()
            || self.created_by.is_some()
            || self.unused_since.is_some()
            || self.q.is_some()
            || self.tag.as_ref().is_some_and(|tags| !tags.is_empty())
            || self.owner.is_some()
            || self.earlier_master_key == Some(true);
        if !says_something {
            return Err(InvalidRequest::EmptyFilter.into());
        }
        if self.q.as_ref().is_some_and(String::is_empty) {
            return Err(InvalidRequest::EmptySearch.into());
        }
        let unused_since = self.unused_since.map(|text| moment("unused_since", &text));
        KeySearch::new(KeyFilter {
            project: self.project,
            environment: self.environment,
            status: StatusFilter::Unrevoked,
            name_contains: self.q,
            tags: self.tag.unwrap_or_default(),
            owner: self.owner,
            created_by: self.created_by,
            unused_since: unused_since.transpose()?,
            earlier_master_key: self.earlier_master_key.unwrap_or_default(),
            ..KeyFilter::all_of(organization)
        })
    }
}

/// The new scopes of each key.
enum NewScopes {
    These(Scopes),
    MoreAndFewer { add: Vec<Scope>, remove: Vec<Scope> },
}

impl NewScopes {
    fn read(
        scopes: Option<Vec<Scope>>,
        add: Option<Vec<Scope>>,
        remove: Option<Vec<Scope>>,
    ) -> Result<Self, ApiError> {
        match (scopes, add, remove) {
            (Some(scopes), None, None) => {
                Ok(Self::These(Scopes::for_key(scopes).map_err(InvalidRequest::Scopes)?))
            }
            (None, add, remove) if add.is_some() || remove.is_some() => {
                Ok(Self::MoreAndFewer { add: add.unwrap_or_default(), remove: remove.unwrap_or_default() })
            }
            _ => Err(InvalidRequest::ScopesOrChanges.into()),
        }
    }

    fn of(&self, key: &ApiKey) -> Result<Scopes, ApiError> {
        let (add, remove) = match self {
            Self::These(scopes) => return Ok(scopes.clone()),
            Self::MoreAndFewer { add, remove } => (add, remove),
        };
        let kept = key.scopes.iter().filter(|scope| !remove.contains(scope));
        let scopes = Scopes::for_key(kept.chain(add).cloned());
        Ok(scopes.map_err(|error| InvalidRequest::ScopesOf(key.id, error))?)
    }
}
