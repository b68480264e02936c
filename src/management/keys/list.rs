//! Pages of an organization's keys.

use std::sync::Arc;

use crate::access::{Caller, visible_keys};
use crate::api_key::EnvironmentSlug;
use crate::key::ApiKey;
use crate::management::ApiError;
use crate::names::{OrganizationId, ProjectId};
use crate::node::Node;
use crate::store::{KeyQuery, StatusFilter};

/// The most characters of a search.
const MAX_SEARCH: usize = 200;

/// What to list.
#[derive(Debug)]
pub struct KeyListRequest {
    /// Whose keys.
    pub organization: OrganizationId,
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Only this environment's.
    pub environment: Option<EnvironmentSlug>,
    /// Only those that stand so.
    pub status: StatusFilter,
    /// Only those whose name has this in it.
    pub search: Option<String>,
    /// At most so many.
    pub limit: u16,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A page of keys, newest first, and the cursor of the next.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    node: &Arc<Node>,
    caller: &Caller,
    request: KeyListRequest,
) -> Result<(Vec<ApiKey>, Option<String>), ApiError> {
    if !caller.knows(&request.organization) || !node.store.has_organization(&request.organization).await? {
        return Err(ApiError::NotFound);
    }
    if request
        .search
        .as_ref()
        .is_some_and(|search| search.chars().count() > MAX_SEARCH || search.contains('\0'))
    {
        return Err(ApiError::InvalidRequest(format!("q has more than {MAX_SEARCH} characters, or a NUL")));
    }
    let description = request.description();
    let before = match &request.cursor {
        Some(cursor) => Some(
            node.cursors
                .read(&description, cursor)
                .map_err(|error| ApiError::InvalidRequest(error.to_string()))?,
        ),
        None => None,
    };
    let query = KeyQuery {
        visible: visible_keys(caller, &request.organization),
        organization: request.organization,
        project: request.project,
        environment: request.environment,
        status: request.status,
        name_contains: request.search,
        before,
        limit: request.limit,
    };
    let page = node.store.keys(&query, node.clock.now()).await?;
    Ok((page.keys, page.next.map(|at| node.cursors.write(&description, at))))
}

impl KeyListRequest {
    /// Which list this is a page of: all but the size and the place of the page.
    fn description(&self) -> String {
        format!(
            "keys {:?} {:?} {:?} {:?} {:?}",
            self.organization, self.project, self.environment, self.status, self.search
        )
    }
}
