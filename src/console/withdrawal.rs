//! Withdraws a signing key. This invalidates tokens of every organization, so the confirmation asks for more than that
//! of one key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::fields::Fields;
use super::page::{is_mendable, page, refused, see_other};
use super::problem::sentence;
use super::shell::{DeploymentSection, Shell};
use super::step_up;
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::path::OfSigningKey;
use crate::node::Node;
use crate::use_cases::management::signing_keys::{self, LiveTokens, RotateRequest};
use crate::use_cases::management::{ApiError, InvalidRequest};

/// The number of characters that identify one of the few signing keys.
const TYPED_AT_LEAST: usize = 8;

#[derive(Template)]
#[template(path = "signing_key_withdraw.html")]
struct WithdrawPage {
    shell: Shell,
    href: String,
    kid: String,
    status: &'static str,
    reach: LiveTokens,
    typed: String,
    is_understood: bool,
    error: Option<String>,
}

/// `GET /console/signing-keys/{kid}/withdraw`.
pub(super) async fn ask(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfSigningKey(kid): OfSigningKey,
) -> Result<Response, Failure> {
    page(&asked(&node, &visitor, kid, &Fields::default()).await?)
}

/// `POST /console/signing-keys/{kid}/withdraw`.
pub(super) async fn withdraw(
    State(node): State<Arc<Node>>,
    OfSigningKey(kid): OfSigningKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let asked = asked(&node, visitor, kid, fields).await?;
    if submitted.is_resumed() {
        return page(&asked);
    }
    let back = format!("{}/{}/withdraw", asked.href, asked.kid);
    if let Some(asked) = step_up::required(&node, &submitted, &back).await? {
        return Ok(asked);
    }
    let done = match asked.confirmed() {
        Ok(request) => {
            signing_keys::rotate(&node.records, &node.signer, &visitor.caller, request).await.map(drop)
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other(&asked.href)),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&WithdrawPage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn asked(
    node: &Arc<Node>,
    visitor: &Visitor,
    kid: String,
    fields: &Fields,
) -> Result<WithdrawPage, ApiError> {
    let reach = signing_keys::reach(&node.records, &visitor.caller).await?;
    let mut keys = signing_keys::list(&node.signer, &visitor.caller, node.clock.now())?.into_iter();
    let key = keys.find(|key| key.kid == kid && key.withdrawn_at.is_none()).ok_or(ApiError::NotFound)?;
    Ok(WithdrawPage {
        shell: visitor.shell.at_deployment(&visitor.caller, DeploymentSection::SigningKeys),
        href: format!("{}/signing-keys", visitor.shell.base),
        kid: key.kid,
        status: key.status,
        reach,
        typed: fields.text("kid").to_owned(),
        is_understood: fields.has("understood"),
        error: None,
    })
}

impl WithdrawPage {
    /// The characters to type.
    fn beginning(&self) -> &str {
        self.kid.get(..TYPED_AT_LEAST).unwrap_or(&self.kid)
    }

    /// The withdrawal, if the confirmation is complete.
    fn confirmed(&self) -> Result<RotateRequest, ApiError> {
        if self.typed.len() < TYPED_AT_LEAST || !self.kid.starts_with(&self.typed) {
            return Err(InvalidRequest::KidMismatch.into());
        }
        if !self.is_understood {
            return Err(InvalidRequest::NotConfirmed.into());
        }
        Ok(RotateRequest::withdrawing(self.kid.clone()))
    }
}
