//! Making a key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::form::KeyForm;
use super::list::choices;
use super::made::{self, What};
use crate::console::page::{is_mendable, page, refused};
use crate::console::posted::Posted;
use crate::console::shell::{Room, Shell};
use crate::console::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::management::keys::NewKeyRequest;
use crate::management::{ApiError, Made, carry_out, keys};
use crate::names::OrganizationId;
use crate::node::Node;
use crate::text::without_values;

#[derive(Template)]
#[template(path = "key_new.html")]
struct NewKeyPage {
    shell: Shell,
    root: String,
    form: KeyForm,
    /// Tells this filling-in of the form from another.
    form_id: String,
    projects: Vec<String>,
    environments: Vec<String>,
    address: Option<String>,
    is_new: bool,
}

/// `GET /console/orgs/{org}/keys/new`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
) -> Result<Response, Failure> {
    let (projects, environments) = choices(&node, &visitor.caller, &organization).await?;
    let project = projects.first().cloned().unwrap_or_default();
    let environment = if environments.iter().any(|slug| slug == "prd") {
        "prd".into()
    } else {
        environments.first().cloned().unwrap_or_default()
    };
    let form = KeyForm::blank(project, environment);
    page(&shown(&node, &visitor, &organization, form, fresh_id(&node)?).await?)
}

/// `POST /console/orgs/{org}/keys/new`. What is answered is the one page that ever shows the key.
pub(in crate::console) async fn create(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    posted: Posted,
) -> Result<Response, Failure> {
    let (repeatable, form_id) = (posted.repeatable(), posted.fields.text("form").to_owned());
    let Posted { visitor, fields, .. } = posted;
    let mut form = KeyForm::sent(&fields);
    let address = visitor.caller.address.known().map(|address| address.to_string());
    if form.edited(&fields, address.as_deref()) {
        return page(&shown(&node, &visitor, &organization, form, form_id).await?);
    }
    let Some(mut members) = form.members(node.clock.now()) else {
        let again = shown(&node, &visitor, &organization, form, form_id).await?;
        return Err(refused(&again, ApiError::invalid("a field of the form is wrong")));
    };
    members.insert("project".into(), form.project.clone().into());
    members.insert("environment".into(), form.environment.clone().into());
    // A new key that never ends just says nothing about it.
    members.retain(|name, value| name != "expires_at" || !value.is_null());
    let made = match serde_json::from_value::<NewKeyRequest>(Value::Object(members)) {
        Ok(request) => {
            let (server, caller, home) = (Arc::clone(&node), visitor.caller.clone(), organization.clone());
            carry_out(async move { keys::create(&server, &caller, home, request, repeatable).await }).await
        }
        Err(error) => Err(ApiError::invalid(without_values(&error.to_string()))),
    };
    match made {
        Ok(Made::New(created)) => made::page(&node, &visitor, &created, What::Key),
        Ok(Made::Before(answer)) => Ok(made::before(&visitor, &organization, &answer)),
        Err(error) if is_mendable(&error) || matches!(error, ApiError::Forbidden { .. }) => {
            form.refuse(&error);
            // Another filling-in: the earlier one may have made a key.
            let again = shown(&node, &visitor, &organization, form, fresh_id(&node)?).await?;
            Err(refused(&again, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn shown(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: &OrganizationId,
    form: KeyForm,
    form_id: String,
) -> Result<NewKeyPage, ApiError> {
    let (projects, environments) = choices(node, &visitor.caller, organization).await?;
    Ok(NewKeyPage {
        shell: visitor.shell_at(organization, Room::Keys),
        root: visitor.shell.root(organization),
        form,
        form_id,
        projects,
        environments,
        address: visitor.caller.address.known().map(|address| address.to_string()),
        is_new: true,
    })
}

/// A name for one filling-in of a form.
pub(super) fn fresh_id(node: &Node) -> Result<String, ApiError> {
    node.entropy.identifier().map(|id| URL_SAFE_NO_PAD.encode(id)).map_err(ApiError::internal)
}
