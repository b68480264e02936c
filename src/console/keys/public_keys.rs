//! Registers a public key of a key, and removes one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::act::{KeyAction, again, ask, once_more};
use crate::console::fields::Fields;
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::{OfKey, OfPublicKey};
use crate::node::Node;
use crate::use_cases::management::keys::{self, KeyPath, NewPublicKey};
use crate::use_cases::management::{ApiError, Force, InvalidRequest, carry_out};

#[derive(Template)]
#[template(path = "key_public_key.html")]
struct PublicKeyPage {
    shell: Shell,
    href: String,
    name: String,
    text: String,
    alg: String,
    kid: String,
    error: Option<String>,
}

/// `GET …/public-keys/new`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    page(&PublicKeyPage::of(&node, &visitor, &path, None).await?)
}

/// `POST …/public-keys/new`.
pub(in crate::console) async fn register(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    if submitted.is_resumed() {
        return page(&PublicKeyPage::of(&node, visitor, &path, Some(fields)).await?);
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let registered = match new_public_key(fields) {
        Ok(new) => {
            carry_out(async move {
                keys::register(&server.records, &server.authenticator, &caller, &of, new).await
            })
            .await
        }
        Err(error) => Err(error),
    };
    match registered {
        Ok(_) => Ok(Notice::Registered.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = PublicKeyPage::of(&node, visitor, &path, Some(fields)).await?;
            Err(refused(&PublicKeyPage { error: said, ..again }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET …/public-keys/{public_key}/remove`.
pub(in crate::console) async fn ask_remove(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfPublicKey(path, public_key): OfPublicKey,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::RemovePublicKey, &format!("public-keys/{public_key}/remove")).await
}

/// `POST …/public-keys/{public_key}/remove`.
pub(in crate::console) async fn remove(
    State(node): State<Arc<Node>>,
    OfPublicKey(path, public_key): OfPublicKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let (visitor, action) = (&submitted.visitor, format!("public-keys/{public_key}/remove"));
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::RemovePublicKey, &action).await;
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let removed = carry_out(async move {
        keys::remove_public_key(&server.records, &caller, &of, public_key, Force::No).await
    });
    match removed.await {
        Ok(()) => Ok(Notice::Removed.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) => again(&node, &submitted, &path, KeyAction::RemovePublicKey, &action, error).await,
    }
}

/// What the form says, as the API takes it.
fn new_public_key(fields: &Fields) -> Result<NewPublicKey, ApiError> {
    let text = fields.text("public_key").trim();
    let body = if text.starts_with('{') {
        let jwk = serde_json::from_str::<Map<String, Value>>(text);
        json!({ "jwk": jwk.map_err(|_| InvalidRequest::JwkOrPem)? })
    } else {
        let given = |name| Some(fields.text(name)).filter(|text| !text.is_empty());
        json!({ "pem": text, "alg": given("alg"), "kid": given("kid") })
    };
    serde_json::from_value(body).map_err(|_| InvalidRequest::JwkOrPem.into())
}

impl PublicKeyPage {
    async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        path: &KeyPath,
        sent: Option<&Fields>,
    ) -> Result<Self, ApiError> {
        let key = keys::find(&node.records, &visitor.caller, path, Verb::Write).await?;
        let text = |name| sent.map(|fields| fields.text(name).to_owned()).unwrap_or_default();
        // A private key that was pasted by mistake is not sent back.
        let is_private = |text: &str| text.contains("PRIVATE KEY") || text.contains("\"d\"");
        Ok(Self {
            shell: visitor.shell_at(&path.organization, Section::Keys),
            href: visitor.shell.key(path),
            name: key.name,
            text: Some(text("public_key")).filter(|text| !is_private(text)).unwrap_or_default(),
            alg: text("alg"),
            kid: text("kid"),
            error: None,
        })
    }
}
