//! The one page that shows a key: the answer to the form that made it, or a new secret of it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use crate::api_key::display_prefix;
use crate::console::page::{page as answer, see_other};
use crate::console::shell::{Room, Shell};
use crate::console::visitor::Visitor;
use crate::http::failure::Failure;
use crate::management::keys::{CreatedKey, KeyPath};
use crate::names::OrganizationId;
use crate::node::Node;

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A key.
    Key,
    /// Another secret of a key.
    Secret,
}

#[derive(Template)]
#[template(path = "key_made.html")]
struct MadePage<'a> {
    shell: Shell,
    what: What,
    href: String,
    name: &'a str,
    id: String,
    prefix: String,
    key: &'a str,
    issuer: &'a str,
    is_open: bool,
}

/// The page that shows a key this once.
pub(super) fn page(
    node: &Arc<Node>,
    visitor: &Visitor,
    created: &CreatedKey,
    what: What,
) -> Result<Response, Failure> {
    let key = &created.key;
    answer(&MadePage {
        shell: visitor.shell_at(&key.organization, Room::Keys),
        what,
        href: visitor.shell.key(&KeyPath { organization: key.organization.clone(), key: key.id }),
        name: &key.name,
        id: key.id.to_string(),
        prefix: display_prefix(&key.brand, &key.environment, &key.id),
        key: created.plain.expose(),
        issuer: &node.deployment.issuer,
        is_open: key.cidrs.has_wildcard(),
    })
}

/// The same form came before: the key is not shown again.
pub(super) fn before(visitor: &Visitor, organization: &OrganizationId, answer: &Value) -> Response {
    let id = answer["id"].as_str().unwrap_or_default();
    see_other(&format!("{}/keys/{id}?done=before", visitor.shell.root(organization)))
}
