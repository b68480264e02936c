//! Disables, enables and removes a trusted issuer, after a confirmation.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::edit::found;
use super::show::href;
use crate::console::confirm;
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::http::failure::Failure;
use crate::http::issuers::policy;
use crate::http::path::OfIssuer;
use crate::node::Node;
use crate::use_cases::management::issuers::{self, IssuerPatch, IssuerPath};
use crate::use_cases::management::{ApiError, InvalidRequest, Terms, carry_out};

/// An action on a trusted issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IssuerAction {
    Disable,
    Enable,
    Remove,
}

#[derive(Template)]
#[template(path = "issuer_act.html")]
struct ActPage {
    shell: Shell,
    href: String,
    act: IssuerAction,
    issuer: TrustedIssuer,
    typed: String,
    error: Option<String>,
}

/// `GET …/disable`.
pub(in crate::console) async fn ask_disable(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfIssuer(path): OfIssuer,
) -> Result<Response, Failure> {
    page(&asked(&node, &visitor, &path, IssuerAction::Disable, "").await?)
}

/// `GET …/enable`.
pub(in crate::console) async fn ask_enable(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfIssuer(path): OfIssuer,
) -> Result<Response, Failure> {
    page(&asked(&node, &visitor, &path, IssuerAction::Enable, "").await?)
}

/// `GET …/remove`.
pub(in crate::console) async fn ask_remove(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfIssuer(path): OfIssuer,
) -> Result<Response, Failure> {
    page(&asked(&node, &visitor, &path, IssuerAction::Remove, "").await?)
}

/// `POST …/disable`.
pub(in crate::console) async fn disable(
    node: State<Arc<Node>>,
    OfIssuer(path): OfIssuer,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    act(&node, &path, &submitted, IssuerAction::Disable).await
}

/// `POST …/enable`.
pub(in crate::console) async fn enable(
    node: State<Arc<Node>>,
    OfIssuer(path): OfIssuer,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    act(&node, &path, &submitted, IssuerAction::Enable).await
}

/// `POST …/remove`.
pub(in crate::console) async fn remove(
    node: State<Arc<Node>>,
    OfIssuer(path): OfIssuer,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    act(&node, &path, &submitted, IssuerAction::Remove).await
}

async fn act(
    node: &Arc<Node>,
    path: &IssuerPath,
    submitted: &SubmittedForm,
    action: IssuerAction,
) -> Result<Response, Failure> {
    let (visitor, typed) = (&submitted.visitor, submitted.fields.text("name"));
    let asked = asked(node, visitor, path, action, typed).await?;
    if submitted.is_resumed() {
        return page(&asked);
    }
    let done = match action {
        IssuerAction::Disable => set_status(node, visitor, path, "disabled").await,
        IssuerAction::Enable => set_status(node, visitor, path, "active").await,
        IssuerAction::Remove if confirm::names(typed, &asked.issuer.name, path.issuer.as_str()) => {
            let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), path.clone());
            carry_out(async move { issuers::delete(&server.records, &caller, &of).await }).await
        }
        IssuerAction::Remove => Err(InvalidRequest::NameMismatch.into()),
    };
    let list = format!("{}/issuers", visitor.shell.root(&path.organization));
    let (notice, next) = match action {
        IssuerAction::Disable => (Notice::IssuerDisabled, &asked.href),
        IssuerAction::Enable => (Notice::IssuerEnabled, &asked.href),
        IssuerAction::Remove => (Notice::IssuerRemoved, &list),
    };
    match done {
        Ok(()) => Ok(notice.at(node, Some(&visitor.session), next)),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&ActPage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn set_status(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &IssuerPath,
    status: &str,
) -> Result<(), ApiError> {
    let patch: IssuerPatch =
        serde_json::from_value(json!({ "status": status })).map_err(ApiError::internal)?;
    let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move {
        let terms = Terms::default();
        issuers::change(&server.records, policy(&server), &caller, &of, patch, &terms).await.map(drop)
    })
    .await
}

async fn asked(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &IssuerPath,
    act: IssuerAction,
    typed: &str,
) -> Result<ActPage, ApiError> {
    Ok(ActPage {
        shell: visitor.shell_at(&path.organization, Section::Issuers),
        href: href(visitor, path),
        act,
        issuer: found(node, visitor, path).await?,
        typed: typed.to_owned(),
        error: None,
    })
}
