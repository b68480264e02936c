//! Changing a key: first what would change is spelled out, then it is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use super::form::KeyForm;
use super::list::Choice;
use crate::console::events::{Difference, differences};
use crate::console::page::{is_mendable, page, refused, see_other};
use crate::console::posted::Posted;
use crate::console::shell::{Room, Shell};
use crate::console::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::path::OfKey;
use crate::key::ApiKey;
use crate::management::keys::{KeyPatch, KeyPath};
use crate::management::{ApiError, Changed, IfMatch, Terms, Versioned as _, carry_out, keys};
use crate::node::Node;
use crate::scope::Verb;
use crate::text::without_values;

#[derive(Template)]
#[template(path = "key_edit.html")]
struct EditPage {
    shell: Shell,
    href: String,
    name: String,
    form: KeyForm,
    projects: Vec<Choice>,
    environments: Vec<String>,
    address: Option<String>,
    is_new: bool,
}

#[derive(Template)]
#[template(path = "key_preview.html")]
struct PreviewPage {
    shell: Shell,
    href: String,
    name: String,
    form: KeyForm,
    differences: Vec<Difference>,
    /// Whether tokens die by it, and calls are refused.
    takes_away: bool,
    version: String,
}

/// `GET /console/orgs/{org}/keys/{key}/edit`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    let key = keys::find(&node, &visitor.caller, &path, Verb::Write).await?;
    if key.revoked.is_some() {
        return Err(ApiError::Conflict("the key is revoked and cannot be changed".into()).into());
    }
    page(&EditPage::new(&visitor, &path, key.name.clone(), KeyForm::of(&key)))
}

/// `POST /console/orgs/{org}/keys/{key}/edit`.
pub(in crate::console) async fn change(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    posted: Posted,
) -> Result<Response, Failure> {
    let Posted { visitor, fields, .. } = posted;
    let mut form = KeyForm::sent(&fields);
    let key = keys::find(&node, &visitor.caller, &path, Verb::Write).await?;
    let address = visitor.caller.address.known().map(|address| address.to_string());
    if form.edited(&fields, address.as_deref()) || fields.has("back") {
        return page(&EditPage::new(&visitor, &path, key.name, form));
    }
    let Some(members) = form.members(node.clock.now()) else {
        let again = EditPage::new(&visitor, &path, key.name, form);
        return Err(refused(&again, ApiError::invalid("a field of the form is wrong")));
    };
    let version = fields.text("version");
    let is_final = !version.is_empty();
    let terms = Terms {
        dry_run: !is_final,
        force: false,
        if_match: is_final.then(|| IfMatch::parse([version.as_bytes()])).transpose()?,
    };
    match changed(&node, &visitor, &path, Value::Object(members), terms).await {
        Ok(_) if is_final => Ok(see_other(&format!("{}?done=changed", visitor.shell.key(&path)))),
        Ok(done) if done.before.is_as(&done.after) => {
            Ok(see_other(&format!("{}?done=unchanged", visitor.shell.key(&path))))
        }
        Ok(done) => page(&PreviewPage::new(&visitor, &path, form, &done, &node)),
        Err(error) if is_mendable(&error) || matches!(error, ApiError::Forbidden { .. }) => {
            form.refuse(&error);
            Err(refused(&EditPage::new(&visitor, &path, key.name, form), error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn changed(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &KeyPath,
    members: Value,
    terms: Terms,
) -> Result<Changed<ApiKey>, ApiError> {
    let patch: KeyPatch = serde_json::from_value(members)
        .map_err(|error| ApiError::invalid(without_values(&error.to_string())))?;
    let (server, caller, path) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move { keys::change(&server, &caller, &path, patch, &terms).await }).await
}

impl EditPage {
    fn new(visitor: &Visitor, path: &KeyPath, name: String, form: KeyForm) -> Self {
        Self {
            shell: visitor.shell_at(&path.organization, Room::Keys),
            href: visitor.shell.key(path),
            name,
            form,
            projects: Vec::new(),
            environments: Vec::new(),
            address: visitor.caller.address.known().map(|address| address.to_string()),
            is_new: false,
        }
    }
}

impl PreviewPage {
    fn new(visitor: &Visitor, path: &KeyPath, form: KeyForm, done: &Changed<ApiKey>, node: &Node) -> Self {
        let now = node.clock.now();
        Self {
            shell: visitor.shell_at(&path.organization, Room::Keys),
            href: visitor.shell.key(path),
            name: done.before.name.clone(),
            form,
            differences: differences(&done.before.json(now), &done.after.json(now)),
            takes_away: done.after.generation > done.before.generation,
            version: done.before.etag().to_string(),
        }
    }
}
