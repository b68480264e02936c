//! An organization's configuration as one document: what it is, its projects and its keys, and no secret. Kept
//! in a file, it can be reviewed, versioned and applied.

mod apply;
mod change;
mod document;
mod keys;

use std::sync::Arc;

pub use apply::{Applied, apply};
pub use change::{ApplyTerms, ConfigurationChange};
pub use document::{Configuration, KeyConfiguration, OrganizationConfiguration, ProjectConfiguration};

use super::ApiError;
use crate::access::Caller;
use crate::names::OrganizationId;
use crate::node::Node;
use crate::scope::Verb;
use crate::store::{KeyFilter, StatusFilter, Write};

/// The most keys of an organization that has its configuration in a document.
pub const MOST_KEYS: u16 = 5_000;

/// The configuration of an organization, for a caller who may read all of it. Revoked keys are not in it.
///
/// # Errors
/// [`ApiError`]; [`ApiError::Conflict`] beyond [`MOST_KEYS`].
pub async fn export(
    node: &Arc<Node>,
    caller: &Caller,
    id: &OrganizationId,
) -> Result<Configuration, ApiError> {
    may_read_all(caller, id)?;
    // Nothing is written, but all of it is read at one moment.
    let mut write = node.store.write(node.clock.now(), &caller.actor()).await?;
    let organization = write.organization(id).await?.ok_or(ApiError::NotFound)?;
    let projects = write.projects(id).await?;
    let keys = unrevoked_keys(&mut write, id).await?;
    Ok(Configuration::of(&organization, &projects, &keys))
}

fn may_read_all(caller: &Caller, id: &OrganizationId) -> Result<(), ApiError> {
    Ok(caller.may_all_in(id, Verb::Read, &["**"])?)
}

async fn unrevoked_keys(
    write: &mut Write,
    organization: &OrganizationId,
) -> Result<Vec<crate::key::ApiKey>, ApiError> {
    let filter = KeyFilter { status: StatusFilter::Unrevoked, ..KeyFilter::all_of(organization.clone()) };
    let found = write.keys(&filter, MOST_KEYS).await?;
    if found.next.is_some() {
        return Err(ApiError::Conflict(format!("the organization has more than {MOST_KEYS} keys")));
    }
    Ok(found.items)
}
