//! The summary beside a key's form, while somebody fills it in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::form::{KeyForm, Summary, Until};
use super::form_parts::Offers;
use crate::base::clock::Timestamp;
use crate::console::page::page;
use crate::console::submitted_form::SubmittedForm;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::node::Node;

#[derive(Template)]
#[template(path = "key_summary.html")]
struct SummaryPart {
    summary: Summary,
}

/// `POST /console/orgs/{org}/keys/summary`: the summary of what the form says. It changes nothing.
pub(in crate::console) async fn show(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let offers = Offers::to(&node, &visitor.caller, &organization).await?;
    let form = KeyForm::sent(fields);
    // The page of a key that exists says when the key ends at present.
    let kept = Timestamp::parse_rfc3339(fields.text("kept"));
    page(&SummaryPart { summary: offers.summary(&form, kept) })
}
