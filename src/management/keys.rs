//! Keys: making them, looking at them, revoking them.

mod create;
mod expiry;
mod list;
mod revoke;

use std::sync::Arc;

pub use create::{CreatedKey, NewKeyRequest, create};
pub use expiry::ExpiresIn;
pub use list::{KeyListRequest, list};
pub use revoke::revoke;

use super::ApiError;
use crate::access::{Caller, Denied};
use crate::api_key::KeyId;
use crate::key::ApiKey;
use crate::names::OrganizationId;
use crate::node::Node;
use crate::scope::Verb;

/// A key of an organization, by the ids in a request's path.
#[derive(Clone, Debug)]
pub struct KeyPath {
    /// The organization.
    pub organization: OrganizationId,
    /// The key.
    pub key: KeyId,
}

/// The key, for a caller who may do `verb` to it.
///
/// # Errors
/// [`ApiError`]. Whoever may not is told the same whether the key exists or not.
pub async fn find(node: &Arc<Node>, caller: &Caller, path: &KeyPath, verb: Verb) -> Result<ApiKey, ApiError> {
    let id = path.key.to_string();
    let anywhere = caller.may_all_in(&path.organization, verb, &["projects", "*", "keys", &id]);
    // An organization that the caller knows nothing of is not even looked into.
    if anywhere == Err(Denied::NotFound) {
        return Err(ApiError::NotFound);
    }
    let found = node.store.key(&path.key).await?.map(|stored| stored.key);
    let found = found.filter(|key| key.organization == path.organization);
    match (found, anywhere) {
        (Some(key), Ok(())) => Ok(key),
        (None, Ok(())) => Err(ApiError::NotFound),
        (Some(key), Err(_)) if permits(caller, &key, verb) => Ok(key),
        (_, Err(denied)) => Err(denied.into()),
    }
}

fn permits(caller: &Caller, key: &ApiKey, verb: Verb) -> bool {
    let path = ["projects", key.project.as_str(), "keys", &key.id.to_string()];
    caller.may_in(&key.organization, verb, &path).is_ok()
}
