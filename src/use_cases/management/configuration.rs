//! An organization's configuration as one document: the organization, its projects, its scopes, its trusted issuers and its keys,
//! without secrets. Kept in a file, it can be reviewed, versioned and applied.

mod application;
mod apply;
mod change;
mod document;
mod issuers;
mod keys;
mod projects;
mod scopes;

pub use apply::{Applied, apply};
pub use change::{ApplyTerms, ConfigurationChange};
pub use document::{
    Configuration, IssuerConfiguration, KeyConfiguration, NamedScopeConfiguration, OrganizationConfiguration,
    ProjectConfiguration,
};

use super::{ApiError, Conflict};
use crate::domain::key::ApiKey;
use crate::domain::named_scope::Catalogue;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::sharing::background;
use crate::store::{KeyFilter, KeyPage, StatusFilter, Write};
use crate::use_cases::access::Caller;

/// The most keys that an organization may have for its configuration to be exported or applied.
pub const MOST_KEYS: u16 = 5_000;

/// The configuration of an organization, for a caller who may read all of it. It omits revoked keys.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] beyond [`MOST_KEYS`].
pub async fn export(
    records: &Records,
    caller: &Caller,
    id: &OrganizationId,
) -> Result<Configuration, ApiError> {
    background::expect_here();
    may_read_all(caller, id)?;
    let now = records.clock.now();
    let mut snapshot = records.store.snapshot(&caller.principal(), now).await?;
    let organization = snapshot.organization(id).await?.ok_or(ApiError::NotFound)?;
    let projects = snapshot.projects(id).await?;
    let scopes = snapshot.named_scopes(&Catalogue::Of(id.clone())).await?;
    let issuers = snapshot.trusted_issuers(id).await?;
    let keys = few_enough(snapshot.keys(&unrevoked(id), MOST_KEYS).await?)?;
    Ok(Configuration::of(&organization, &projects, &scopes, &issuers, &keys, now))
}

fn may_read_all(caller: &Caller, id: &OrganizationId) -> Result<(), ApiError> {
    Ok(caller.may_all_in(id, Verb::Read, &["**"])?)
}

async fn unrevoked_keys(write: &mut Write, organization: &OrganizationId) -> Result<Vec<ApiKey>, ApiError> {
    few_enough(write.keys(&unrevoked(organization), MOST_KEYS).await?)
}

fn unrevoked(organization: &OrganizationId) -> KeyFilter {
    KeyFilter { status: StatusFilter::Unrevoked, ..KeyFilter::all_of(organization.clone()) }
}

fn few_enough(found: KeyPage) -> Result<Vec<ApiKey>, ApiError> {
    if found.next.is_some() {
        return Err(Conflict::TooManyKeys(MOST_KEYS).into());
    }
    Ok(found.items)
}
