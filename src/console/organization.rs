//! Renames and deletes an organization.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::confirm;
use super::notice::Notice;
use super::page::{is_mendable, page, refused, see_other};
use super::problem::sentence;
use super::review::{Item, Review, ReviewedChange};
use super::shell::{Section, Shell};
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::when::grouped;
use crate::domain::names::OrganizationId;
use crate::domain::tenant::Organization;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::node::Node;
use crate::use_cases::management::organizations::{self, OrganizationPatch};
use crate::use_cases::management::overview::overview;
use crate::use_cases::management::{
    ApiError, Force, IfMatch, InvalidRequest, Terms, Versioned as _, carry_out,
};

#[derive(Template)]
#[template(path = "organization.html")]
struct EditPage {
    shell: Shell,
    root: String,
    id: String,
    name: String,
    /// The organization's state when the form was first shown. It reveals a change by somebody else in the meantime.
    base: String,
    /// Changes by somebody else since then.
    changed: Review,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "organization_delete.html")]
struct DeletePage {
    shell: Shell,
    root: String,
    id: String,
    name: String,
    /// The keys that are not revoked, if there are any and the visitor may count them.
    keys: Option<String>,
    typed: String,
    error: Option<String>,
}

/// `GET /console/orgs/{org}/edit`.
pub(super) async fn edit(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(id): InOrganization,
) -> Result<Response, Failure> {
    let organization = found(&node, &visitor, &id).await?;
    page(&EditPage::of(&visitor, &organization, organization.name.clone(), base(&organization)))
}

/// `POST /console/orgs/{org}/edit`.
pub(super) async fn rename(
    State(node): State<Arc<Node>>,
    InOrganization(id): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let organization = found(&node, visitor, &id).await?;
    let (name, began) = (fields.text("name").to_owned(), fields.text("base"));
    if submitted.is_resumed() {
        return page(&EditPage::of(visitor, &organization, name, began.to_owned()));
    }
    if !began.is_empty() && began != base(&organization) {
        return Err(overtaken(visitor, name, began, &organization));
    }
    let terms = Terms {
        dry_run: false,
        force: Force::No,
        if_match: Some(IfMatch::parse([organization.etag().to_string().as_bytes()])?),
    };
    let patch: OrganizationPatch =
        serde_json::from_value(json!({ "name": name })).map_err(ApiError::internal)?;
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), id.clone());
    let done = async move { organizations::change(&server.records, &caller, &of, patch, &terms).await };
    match carry_out(done).await {
        Ok(_) => Ok(see_other(&visitor.shell.root(&id))),
        Err(ApiError::PreconditionFailed) => {
            let now = found(&node, visitor, &id).await?;
            Err(overtaken(visitor, name, &base(&organization), &now))
        }
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = EditPage::of(visitor, &organization, name, base(&organization));
            Err(refused(&EditPage { error: said, ..again }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /console/orgs/{org}/delete`.
pub(super) async fn ask_delete(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(id): InOrganization,
) -> Result<Response, Failure> {
    page(&asked(&node, &visitor, &id, "").await?)
}

/// `POST /console/orgs/{org}/delete`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    InOrganization(id): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let asked = asked(&node, visitor, &id, fields.text("name")).await?;
    if submitted.is_resumed() {
        return page(&asked);
    }
    let done = if confirm::names(&asked.typed, &asked.name, id.as_str()) {
        let (server, caller) = (Arc::clone(&node), visitor.caller.clone());
        carry_out(async move { organizations::delete(&server.records, &caller, &id).await }).await
    } else {
        Err(InvalidRequest::NameMismatch.into())
    };
    match done {
        Ok(()) => {
            let list = format!("{}/orgs", visitor.shell.base);
            Ok(Notice::OrganizationDeleted.at(&node, Some(&visitor.session), &list))
        }
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&DeletePage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The organization, if the visitor may change it.
async fn found(node: &Arc<Node>, visitor: &Visitor, id: &OrganizationId) -> Result<Organization, ApiError> {
    organizations::to_change(&node.records, &visitor.caller, id).await
}

async fn asked(
    node: &Arc<Node>,
    visitor: &Visitor,
    id: &OrganizationId,
    typed: &str,
) -> Result<DeletePage, ApiError> {
    let organization = found(node, visitor, id).await?;
    let counts = overview(&node.records, &node.signer, &visitor.caller, id).await?.keys;
    let left = counts.map(|counts| counts.active.and(counts.disabled).and(counts.expired));
    let left = left
        .filter(|left| left.number > 0)
        .map(|left| format!("{}{}", grouped(left.number), if left.or_more { "+" } else { "" }));
    Ok(DeletePage {
        shell: visitor.shell_at(id, Section::Overview),
        root: visitor.shell.root(id),
        id: id.to_string(),
        name: organization.name,
        keys: left,
        typed: typed.to_owned(),
        error: None,
    })
}

/// What the form edits, as JSON.
fn base(organization: &Organization) -> String {
    json!({ "name": organization.name }).to_string()
}

/// The form again, with the changes by somebody else since it was first shown.
fn overtaken(visitor: &Visitor, name: String, began: &str, now: &Organization) -> Failure {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let again = EditPage::of(visitor, now, name, base(now));
    let changed = Review::of(&read(began), &read(&again.base));
    refused(&EditPage { changed, ..again }, ApiError::PreconditionFailed)
}

impl EditPage {
    fn of(visitor: &Visitor, organization: &Organization, name: String, base: String) -> Self {
        Self {
            shell: visitor.shell_at(&organization.id, Section::Overview),
            root: visitor.shell.root(&organization.id),
            id: organization.id.to_string(),
            name,
            base,
            changed: Review::default(),
            error: None,
        }
    }
}
