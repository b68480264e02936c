//! The organizations that the visitor may see, and the form that creates one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use super::named::Copied;
use super::notice;
use super::page::{is_mendable, page, refused, see_other};
use super::problem::sentence;
use super::shell::{DeploymentSection, Shell};
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::when::When;
use super::wrong::malformed;
use crate::domain::scope::Verb;
use crate::domain::tenant::Organization;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::organizations::{self, NewOrganizationRequest};
use crate::use_cases::management::{ApiError, PageRequest, carry_out};

const PER_PAGE: u16 = 50;

#[derive(Template)]
#[template(path = "organizations.html")]
struct OrganizationsPage {
    shell: Shell,
    rows: Vec<Row>,
    next: Option<String>,
    is_first: bool,
    /// Whether the visitor may create an organization.
    may_create: bool,
    form: Typed,
    error: Option<String>,
    done: Option<&'static str>,
}

struct Row {
    id: String,
    copied: Copied,
    name: String,
    created: When,
    may_change: bool,
}

/// The form's input.
#[derive(Default)]
struct Typed {
    id: String,
    name: String,
}

/// `GET /console/orgs`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["cursor"])?;
    let cursor = query.text("cursor").map(str::to_owned);
    let path = format!("{}/orgs", visitor.shell.base);
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &path);
    let listed = listed(&node, &visitor, Typed::default(), cursor).await?;
    let shown = page(&OrganizationsPage { done: taken.text(), ..listed })?;
    Ok(taken.shown_on(shown))
}

/// `POST /console/orgs`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let form = Typed { id: fields.text("id").to_owned(), name: fields.text("name").to_owned() };
    if submitted.is_resumed() {
        return page(&listed(&node, visitor, form, None).await?);
    }
    let mut body = json!({ "id": form.id });
    if !form.name.is_empty() {
        body["name"] = json!(form.name);
    }
    let (server, caller) = (Arc::clone(&node), visitor.caller.clone());
    let made = match serde_json::from_value::<NewOrganizationRequest>(body) {
        Ok(request) => {
            let make = async move { organizations::create(&server.records, &caller, request, None).await };
            carry_out(make).await.map(drop)
        }
        Err(error) => Err(malformed(error)),
    };
    match made {
        Ok(()) => Ok(see_other(&format!("{}/orgs/{}", visitor.shell.base, form.id))),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let listed = listed(&node, visitor, form, None).await?;
            Err(refused(&OrganizationsPage { error: said, ..listed }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn listed(
    node: &Arc<Node>,
    visitor: &Visitor,
    form: Typed,
    cursor: Option<String>,
) -> Result<OrganizationsPage, ApiError> {
    let (caller, now, is_first) = (&visitor.caller, node.clock.now(), cursor.is_none());
    let request = PageRequest { limit: PER_PAGE, cursor };
    let (found, next) = organizations::list(&node.records, caller, request).await?;
    let row = |organization: &Organization| Row {
        id: organization.id.to_string(),
        copied: Copied::new(&organization.id),
        name: organization.name.clone(),
        created: When::new(organization.created_at, now),
        may_change: caller.may_in(&organization.id, Verb::Admin, &[]).is_ok(),
    };
    Ok(OrganizationsPage {
        shell: visitor.shell.at_deployment(caller, DeploymentSection::Organizations),
        rows: found.iter().map(row).collect(),
        next: next.map(|cursor| format!("{}/orgs?cursor={cursor}", visitor.shell.base)),
        is_first,
        may_create: organizations::may_create(caller),
        form,
        error: None,
        done: None,
    })
}
