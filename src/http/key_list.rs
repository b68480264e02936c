//! `GET /v1/orgs/{org}/keys`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::credentials::AuthenticatedCaller;
use super::export::answer as streamed;
use super::failure::Failure;
use super::format::Format;
use super::list_answer::ListAnswer;
use super::path::InOrganization;
use super::query::Query;
use crate::domain::api_key::sought_key;
use crate::domain::names::OrganizationId;
use crate::node::Node;
use crate::store::{KeyFilter, StatusFilter};
use crate::use_cases::management::keys::{self, Inventory, KeySearch};
use crate::use_cases::management::{ApiError, InvalidRequest};

/// Filters, the order, the page and the format.
const KNOWN: [&str; 16] = [
    "project",
    "environment",
    "status",
    "q",
    "tag",
    "owner",
    "created_by",
    "unused_since",
    "expires_before",
    "any_address",
    "earlier_master_key",
    "sort",
    "limit",
    "cursor",
    "format",
    "bom",
];

/// `GET /v1/orgs/{org}/keys`: one page, or all keys as a stream.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read_with_repeated(&parts, &KNOWN, &["tag"])?;
    let search = search(organization, &query)?;
    if let Format::Whole(whole) = Format::wanted(&parts.headers, &query)? {
        if query.text("limit").is_some() || query.text("cursor").is_some() {
            return Err(ApiError::from(InvalidRequest::PageOfExport).into());
        }
        return Ok(streamed(Inventory::of(&node.records, &caller, search).await?, whole).await?);
    }
    let (keys, next_cursor) = keys::list(&node.records, &caller, search, query.page()?).await?;
    let now = node.clock.now();
    let data = keys.iter().map(|key| key.view(now)).collect();
    Ok(ListAnswer { data, next_cursor }.into_response())
}

fn search(organization: OrganizationId, query: &Query) -> Result<KeySearch, ApiError> {
    let search = query.text("q").filter(|search| !search.is_empty());
    let key = search.and_then(sought_key);
    let filter = KeyFilter {
        organization,
        project: query.parsed("project")?,
        environment: query.parsed("environment")?,
        status: status(query.text("status"))?,
        ids: key.map(|key| vec![key]),
        name_contains: search.filter(|_| key.is_none()).map(str::to_owned),
        or_elsewhere: true,
        tags: query.all("tag")?,
        owner: query.parsed("owner")?,
        created_by: query.text("created_by").map(str::to_owned),
        unused_since: query.moment("unused_since")?,
        expires_before: query.moment("expires_before")?,
        any_address: query.flag("any_address")?,
        earlier_master_key: query.flag("earlier_master_key")?,
    };
    Ok(KeySearch::new(filter)?.sorted(query.parsed("sort")?.unwrap_or_default()))
}

fn status(text: Option<&str>) -> Result<StatusFilter, ApiError> {
    match text {
        None | Some("active") => Ok(StatusFilter::Active),
        Some("expired") => Ok(StatusFilter::Expired),
        Some("disabled") => Ok(StatusFilter::Disabled),
        Some("revoked") => Ok(StatusFilter::Revoked),
        Some("all") => Ok(StatusFilter::All),
        Some(_) => Err(InvalidRequest::Status.into()),
    }
}
