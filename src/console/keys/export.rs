//! Keys as a spreadsheet: those of the list, or those that are selected.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::filters::ListFilters;
use super::selection::Selection;
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::domain::names::OrganizationId;
use crate::http::export;
use crate::http::failure::Failure;
use crate::http::format::{ExportFormat, Mark};
use crate::http::path::InOrganization;
use crate::node::Node;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::keys::{Inventory, KeySearch};

/// `GET /console/orgs/{org}/keys.csv`: all keys that match the filters.
pub(in crate::console) async fn of_list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let search = ListFilters::of_download(&parts)?.search(&organization, node.clock.now())?;
    spreadsheet(&node, &visitor, &organization, search).await
}

/// `POST /console/orgs/{org}/keys/selected/export`. It changes nothing, so a form that was kept is as good as a new one.
pub(in crate::console) async fn of_selected(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let search = Selection::read(&submitted.fields)?.search(&organization, node.clock.now())?;
    spreadsheet(&node, &submitted.visitor, &organization, search).await
}

async fn spreadsheet(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: &OrganizationId,
    search: KeySearch,
) -> Result<Response, Failure> {
    let inventory = Inventory::of(&node.records, &visitor.caller, search).await?;
    let mut response = export::answer(inventory, ExportFormat::Csv(Mark::Utf8)).await?;
    // The name consists of an id, so it needs no quoting.
    let name = format!("attachment; filename=\"{organization}-keys.csv\"");
    let name = HeaderValue::from_str(&name).map_err(ApiError::internal)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
