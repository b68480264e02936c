//! `/v1/orgs/{org}/audit` and `/v1/audit`.

pub(crate) mod export;

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
use crate::domain::audit::EventFilter;
use crate::node::Node;
use crate::use_cases::management::audit::Trail;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// Filters and output options. `org` is valid only for the trail of all organizations.
const KNOWN: [&str; 10] = ["actor", "key", "action", "from", "to", "limit", "cursor", "format", "bom", "org"];

/// `GET /v1/orgs/{org}/audit`.
pub(super) async fn of_organization(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &KNOWN[..KNOWN.len() - 1])?;
    let (filter, format) = (filter(&query)?, Format::wanted(&parts.headers, &query)?);
    let trail = Trail::of_organization(&node.records, &caller, organization, filter).await?;
    answer(trail, format, &query).await
}

/// `GET /v1/audit`.
pub(super) async fn of_deployment(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &KNOWN)?;
    let filter = EventFilter { organization: query.parsed("org")?, ..filter(&query)? };
    let format = Format::wanted(&parts.headers, &query)?;
    let trail = Trail::of_deployment(&node.records, &caller, filter)?;
    answer(trail, format, &query).await
}

fn filter(query: &Query) -> Result<EventFilter, ApiError> {
    Ok(EventFilter {
        organization: None,
        actor: query.parsed("actor")?,
        key: query.parsed("key")?,
        action: query.parsed("action")?,
        from: query.moment("from")?,
        to: query.moment("to")?,
    })
}

/// One page of the trail, or the whole trail as a stream.
async fn answer(trail: Trail, format: Format, query: &Query) -> Result<Response, Failure> {
    let whole = match format {
        Format::Json => {
            let (data, next_cursor) = trail.page(&query.page()?).await?;
            return Ok(ListAnswer { data, next_cursor }.into_response());
        }
        Format::Whole(whole) => whole,
    };
    if query.text("limit").is_some() || query.text("cursor").is_some() {
        return Err(ApiError::from(InvalidRequest::PageOfExport).into());
    }
    Ok(streamed(trail.export()?, whole).await?)
}
