//! A form submitted from a page of the visitor's own session.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use ring::digest::{Context, SHA256};

use super::fields::{FORM, Fields, RESUME, TOKEN};
use super::new_secrets::{CreationKind, NewSecret, NewSecrets, Submission};
use super::shell::base;
use super::sign_in;
use super::unsent_form::{self, Unsent};
use super::visitor::Visitor;
use super::{cookie, made_key, next_page, origin, portal};
use crate::http::credentials::ClientAddress;
use crate::http::discovery::path_of;
use crate::http::failure::Failure;
use crate::node::Node;
use crate::sharing::fair_cache::Digest;
use crate::use_cases::management::keys::CreatedKey;
use crate::use_cases::management::{ApiError, Forbidden, Idempotent, IdempotentRequest, carry_out};

/// A submitted form whose origin, session and form token are checked.
#[derive(Debug)]
pub(super) struct SubmittedForm {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
    /// The path that the form was submitted to, as the browser sees it.
    pub(super) path: String,
    /// Identifies the form if it is submitted twice. `None` for a form without an id.
    idempotent: Option<IdempotentRequest>,
    digest: Digest,
    new_secrets: NewSecrets,
}

impl FromRequest<Arc<Node>> for SubmittedForm {
    type Rejection = Response;

    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Response> {
        origin::check(node, request.headers()).map_err(answer)?;
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::of(&mut parts, node).await.map_err(Failure::into_response)?;
        let request = Request::from_parts(parts, body);
        let (parts, body, fields) = Fields::read(request).await.map_err(answer)?;
        let new_secrets = parts.extensions.get::<NewSecrets>().cloned();
        let new_secrets =
            new_secrets.ok_or_else(|| answer(ApiError::internal("the store of shown secrets is missing")))?;
        let path = parts.uri.path().to_owned();
        let digest = digest(&path, &body);
        let Some(visitor) = visitor else {
            if portal::is_here(&parts) {
                return Err(portal::Ended::page(node));
            }
            let from = ClientAddress::by(&node.deployment.addresses, &parts);
            let ClientAddress(from) = from.map_err(Failure::into_response)?;
            return Err(match new_secrets.of(&digest, &from) {
                // The form's first submission has revoked its own session's secret.
                Some(secret) if is_of_cookie(node, &parts, &fields) => {
                    made_key::page(node, None, &secret).await.unwrap_or_else(Failure::into_response)
                }
                _ => sign_in_again(node, &parts, fields),
            });
        };
        if !visitor.session.has_form_token(fields.text(TOKEN)) {
            return Err(of_another_session(node, &visitor, &path, fields));
        }
        let form = fields.text(FORM);
        let idempotent = (!form.is_empty()).then(|| IdempotentRequest::new("POST", &path, form, &body));
        let path = seen_path(node, &path);
        Ok(Self { visitor, fields, path, idempotent, digest, new_secrets })
    }
}

impl SubmittedForm {
    /// Whether to show the form again with its input, instead of submitting it.
    pub(super) fn is_resumed(&self) -> bool {
        self.fields.has(RESUME)
    }

    /// Runs `make`, which creates a secret, at most once per form, however often the form is submitted.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) async fn once<F>(
        &self,
        kind: CreationKind,
        make: impl FnOnce(Option<IdempotentRequest>) -> F,
    ) -> Result<Idempotent<Arc<NewSecret>>, ApiError>
    where
        F: Future<Output = Result<Idempotent<CreatedKey>, ApiError>> + Send + 'static,
    {
        let make = make(self.idempotent.clone());
        if self.idempotent.is_none() {
            let made = carry_out(make).await?;
            return Ok(match made {
                Idempotent::New(created) => Idempotent::New(Arc::new(NewSecret { kind, created })),
                Idempotent::Replayed(answer) => Idempotent::Replayed(answer),
            });
        }
        let (new_secrets, caller) = (self.new_secrets.clone(), &self.visitor.caller);
        let principal = caller.principal();
        let submission = Submission { digest: self.digest, principal, from: caller.address };
        carry_out(async move { new_secrets.once(submission, kind, make).await }).await
    }
}

/// A digest that identifies the form across all sessions, because the form contains a session's token.
fn digest(path: &str, body: &[u8]) -> Digest {
    let mut all = Context::new(&SHA256);
    all.update(path.as_bytes());
    all.update(b"\n");
    all.update(body);
    let mut digest = Digest::default();
    digest.copy_from_slice(all.finish().as_ref());
    digest
}

/// Whether the form belongs to the session in the cookie, which may have ended.
fn is_of_cookie(node: &Node, parts: &Parts, fields: &Fields) -> bool {
    cookie::read(node, &parts.headers).is_some_and(|session| session.has_form_token(fields.text(TOKEN)))
}

/// Asks a visitor whose session has ended to sign in, and keeps the form's input.
fn sign_in_again(node: &Arc<Node>, parts: &Parts, fields: Fields) -> Response {
    let was_in = cookie::read(node, &parts.headers).is_some();
    let mut response = match Unsent::new(&base(node), &seen_path(node, parts.uri.path()), fields) {
        Some(unsent) => sign_in::with_unsent(node, unsent).into_response(),
        None => return next_page::sign_in_first(node, None, was_in),
    };
    if was_in && let Some(cleared) = cookie::clear(node) {
        response.headers_mut().append(SET_COOKIE, cleared);
    }
    response
}

/// Refuses a form that belongs to another session than the visitor's.
fn of_another_session(node: &Arc<Node>, visitor: &Visitor, path: &str, fields: Fields) -> Response {
    let error = ApiError::from(Forbidden::OtherSession);
    match Unsent::new(&visitor.shell.base, &seen_path(node, path), fields) {
        Some(unsent) => unsent_form::of_another_session(visitor, unsent, error).into_response(),
        None => answer(error),
    }
}

/// The path that the browser sees. A proxy may have removed the issuer's path.
fn seen_path(node: &Node, path: &str) -> String {
    let above = path_of(&node.deployment.issuer);
    let is_own = |rest: &&str| rest.starts_with("/console") || rest.starts_with("/portal");
    let own = path.strip_prefix(above).filter(is_own).unwrap_or(path);
    format!("{above}{own}")
}

fn answer(error: ApiError) -> Response {
    Failure::from(error).into_response()
}
