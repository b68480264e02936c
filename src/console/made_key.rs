//! The only page that shows a key: the response to the form that created it, or that added a secret to it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use super::new_secrets::{CreationKind, NewSecret};
use super::notice::Notice;
use super::page::page as answer;
use super::shell::{Section, Shell};
use super::visitor::Visitor;
use crate::domain::api_key::{PlainKey, display_prefix};
use crate::domain::names::OrganizationId;
use crate::http::failure::Failure;
use crate::node::Node;
use crate::use_cases::management::keys::KeyPath;

#[derive(Template)]
#[template(path = "key_made.html")]
struct MadePage<'a> {
    shell: Shell,
    kind: CreationKind,
    href: String,
    name: &'a str,
    id: String,
    prefix: String,
    key: &'a str,
    issuer: &'a str,
    is_open: bool,
    requires_proofs: bool,
}

/// Shows a key once. `visitor` is `None` if the session has just ended together with the old secret.
pub(super) fn page(
    node: &Arc<Node>,
    visitor: Option<&Visitor>,
    shown: &NewSecret,
) -> Result<Response, Failure> {
    let NewSecret { kind, created } = shown;
    let key = &created.key;
    let shell = match visitor {
        Some(visitor) => visitor.shell_at(&key.organization, Section::Keys),
        None => Shell::of_nobody(node),
    };
    answer(&MadePage {
        href: shell.key(&KeyPath { organization: key.organization.clone(), key: key.id }),
        shell,
        kind: *kind,
        name: &key.name,
        id: key.id.to_string(),
        prefix: display_prefix(&key.brand, &key.environment, &key.id),
        // Every form of the console asks for a secret.
        key: created.plain.as_ref().map_or("", PlainKey::expose),
        issuer: &node.deployment.issuer,
        is_open: key.cidrs.has_wildcard(),
        requires_proofs: key.dpop.is_required(),
    })
}

/// The response to a form whose earlier submission is no longer in this node's memory. It does not show the key.
pub(super) fn before(
    node: &Node,
    visitor: &Visitor,
    organization: &OrganizationId,
    answer: &Value,
) -> Response {
    let id = answer["id"].as_str().unwrap_or_default();
    Notice::Before.at(
        node,
        Some(&visitor.session),
        &format!("{}/keys/{id}", visitor.shell.root(organization)),
    )
}
