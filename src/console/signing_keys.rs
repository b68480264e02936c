//! The page of the signing keys.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::page::{is_mendable, page, refused, see_other};
use super::problem::sentence;
use super::shell::{DeploymentSection, Shell};
use super::step_up;
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::when::When;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::node::Node;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::signing_keys::{self, RotateRequest, SigningKeyView};

#[derive(Template)]
#[template(path = "signing_keys.html")]
struct SigningKeysPage {
    shell: Shell,
    href: String,
    keys: Vec<Row>,
    may_rotate: bool,
    error: Option<String>,
}

struct Row {
    kid: String,
    algorithm: &'static str,
    status: &'static str,
    created: When,
    activates: When,
    superseded: Option<When>,
    withdrawn: Option<When>,
}

/// `GET /console/signing-keys`.
pub(super) async fn show(State(node): State<Arc<Node>>, visitor: Visitor) -> Result<Response, Failure> {
    page(&shown(&node, &visitor)?)
}

/// `POST /console/signing-keys`: publishes the next signing key.
pub(super) async fn publish(
    State(node): State<Arc<Node>>,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let visitor = &submitted.visitor;
    if submitted.is_resumed() {
        return page(&shown(&node, visitor)?);
    }
    let href = format!("{}/signing-keys", visitor.shell.base);
    if let Some(asked) = step_up::required(&node, &submitted, &href).await? {
        return Ok(asked);
    }
    match signing_keys::rotate(&node.records, &node.signer, &visitor.caller, RotateRequest::default()).await {
        Ok(_) => Ok(see_other(&href)),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let shown = shown(&node, visitor)?;
            Err(refused(&SigningKeysPage { error: said, ..shown }, error))
        }
        Err(error) => Err(error.into()),
    }
}

fn shown(node: &Arc<Node>, visitor: &Visitor) -> Result<SigningKeysPage, ApiError> {
    let (caller, now) = (&visitor.caller, node.clock.now());
    let when = |at| When::new(at, now);
    let row = |key: SigningKeyView| Row {
        kid: key.kid,
        algorithm: key.algorithm,
        status: key.status,
        created: when(key.created_at),
        activates: when(key.activates_at),
        superseded: key.superseded_at.map(when),
        withdrawn: key.withdrawn_at.map(when),
    };
    Ok(SigningKeysPage {
        shell: visitor.shell.at_deployment(caller, DeploymentSection::SigningKeys),
        href: format!("{}/signing-keys", visitor.shell.base),
        keys: signing_keys::list(&node.signer, caller, node.clock.now())?.into_iter().map(row).collect(),
        may_rotate: caller.may(Verb::Admin, &["signing-keys"]).is_ok(),
        error: None,
    })
}
