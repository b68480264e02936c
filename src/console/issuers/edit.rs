//! Changes a trusted issuer.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::form::IssuerForm;
use super::show::href;
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::review::{Item, Review, ReviewedChange};
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::console::wrong::Wrong;
use crate::domain::scope::Verb;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::http::failure::Failure;
use crate::http::issuers::policy;
use crate::http::path::OfIssuer;
use crate::node::Node;
use crate::use_cases::management::issuers::{self, IssuerPatch, IssuerPath};
use crate::use_cases::management::{ApiError, Force, IfMatch, Terms, Versioned as _, carry_out};

#[derive(Template)]
#[template(path = "issuer_edit.html")]
struct EditPage {
    shell: Shell,
    href: String,
    id: String,
    name: String,
    form: IssuerForm,
    /// The issuer's state when the form was first shown. It reveals a change by somebody else in the meantime.
    base: String,
    /// Changes by somebody else since then.
    changed: Review,
    field: &'static str,
    error: Option<String>,
}

/// `GET /console/orgs/{org}/issuers/{issuer}/edit`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfIssuer(path): OfIssuer,
) -> Result<Response, Failure> {
    let issuer = found(&node, &visitor, &path).await?;
    page(&EditPage::of(&visitor, &path, &issuer, IssuerForm::of(&issuer)))
}

/// `POST /console/orgs/{org}/issuers/{issuer}/edit`.
pub(in crate::console) async fn change(
    State(node): State<Arc<Node>>,
    OfIssuer(path): OfIssuer,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let issuer = found(&node, visitor, &path).await?;
    let (form, began) = (IssuerForm::sent(fields), fields.text("base"));
    if submitted.is_resumed() {
        let again = EditPage::of(visitor, &path, &issuer, form);
        return page(&EditPage { base: began.to_owned(), ..again });
    }
    if !began.is_empty() && began != base(&issuer) {
        return Err(overtaken(visitor, &path, form, began, &issuer));
    }
    let done = match form.patch(&issuer) {
        Ok(Some(patch)) => changed(&node, visitor, &path, &issuer, patch)
            .await
            .map(|()| Notice::IssuerChanged)
            .map_err(|error| form.wrong(error)),
        Ok(None) => Ok(Notice::Unchanged),
        Err(wrong) => Err(wrong),
    };
    match done {
        Ok(done) => Ok(done.at(&node, Some(&visitor.session), &href(visitor, &path))),
        Err(Wrong { error: ApiError::PreconditionFailed, .. }) => {
            let now = found(&node, visitor, &path).await?;
            Err(overtaken(visitor, &path, form, &base(&issuer), &now))
        }
        Err(Wrong { field, error }) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = EditPage::of(visitor, &path, &issuer, form);
            Err(refused(&EditPage { field, error: said, ..again }, error))
        }
        Err(Wrong { error, .. }) => Err(error.into()),
    }
}

async fn changed(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &IssuerPath,
    before: &TrustedIssuer,
    patch: IssuerPatch,
) -> Result<(), ApiError> {
    let terms = Terms {
        dry_run: false,
        force: Force::No,
        if_match: Some(IfMatch::parse([before.etag().to_string().as_bytes()])?),
    };
    let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move {
        issuers::change(&server.records, policy(&server), &caller, &of, patch, &terms).await.map(drop)
    })
    .await
}

/// The issuer, if the visitor may change it.
pub(super) async fn found(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &IssuerPath,
) -> Result<TrustedIssuer, ApiError> {
    let below = ["issuers", path.issuer.as_str()];
    visitor.caller.may_in(&path.organization, Verb::Admin, &below).map_err(ApiError::from)?;
    issuers::read(&node.records, &visitor.caller, path).await
}

/// The members of an issuer that the form edits, as JSON.
fn base(issuer: &TrustedIssuer) -> String {
    json!({
        "name": issuer.name,
        "issuer": issuer.url,
        "keys": issuer.keys,
        "algorithms": issuer.algorithms,
        "max_lifetime": issuer.max_lifetime,
        "single_use": issuer.single_use,
    })
    .to_string()
}

/// The form again, with the changes by somebody else since it was first shown.
fn overtaken(
    visitor: &Visitor,
    path: &IssuerPath,
    form: IssuerForm,
    began: &str,
    now: &TrustedIssuer,
) -> Failure {
    let again = EditPage::of(visitor, path, now, form);
    let changed = Review::between(began, &again.base);
    refused(&EditPage { changed, ..again }, ApiError::PreconditionFailed)
}

impl EditPage {
    fn of(visitor: &Visitor, path: &IssuerPath, issuer: &TrustedIssuer, form: IssuerForm) -> Self {
        Self {
            shell: visitor.shell_at(&path.organization, Section::Issuers),
            href: href(visitor, path),
            id: issuer.id.to_string(),
            name: issuer.name.clone(),
            form,
            base: base(issuer),
            changed: Review::default(),
            field: "",
            error: None,
        }
    }

    /// The error, if it is about this field.
    fn wrong(&self, field: &str) -> Option<&str> {
        self.error.as_deref().filter(|_| self.field == field)
    }
}
