//! Disables and enables a key, after a confirmation.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::act::{KeyAction, again, ask, once_more};
use crate::console::notice::Notice;
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::path::OfKey;
use crate::node::Node;
use crate::use_cases::management::keys::{KeyPatch, KeyPath};
use crate::use_cases::management::{ApiError, Terms, carry_out, keys};

/// `GET …/disable`.
pub(in crate::console) async fn ask_disable(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::Disable, "disable").await
}

/// `GET …/enable`.
pub(in crate::console) async fn ask_enable(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::Enable, "enable").await
}

/// `POST …/disable`.
pub(in crate::console) async fn disable(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::Disable, "disable").await;
    }
    let visitor = &submitted.visitor;
    match set_disabled(&node, visitor, &path, true).await {
        Ok(()) => Ok(Notice::Disabled.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) => again(&node, &submitted, &path, KeyAction::Disable, "disable", error).await,
    }
}

/// `POST …/enable`.
pub(in crate::console) async fn enable(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::Enable, "enable").await;
    }
    let visitor = &submitted.visitor;
    match set_disabled(&node, visitor, &path, false).await {
        Ok(()) => Ok(Notice::Enabled.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) => again(&node, &submitted, &path, KeyAction::Enable, "enable", error).await,
    }
}

async fn set_disabled(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &KeyPath,
    disabled: bool,
) -> Result<(), ApiError> {
    let patch: KeyPatch =
        serde_json::from_value(json!({ "disabled": disabled })).map_err(ApiError::internal)?;
    let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move { keys::change(&server.records, &caller, &of, patch, &Terms::default()).await })
        .await
        .map(drop)
}
