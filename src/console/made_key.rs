//! The only page that shows a key: the response to the form that created it, or that added a secret to it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use super::new_secrets::{CreationKind, NewSecret};
use super::notice::Notice;
use super::page::page as answer;
use super::shell::{Section, Shell};
use super::snippets::{Snippets, Use};
use super::visitor::Visitor;
use crate::domain::api_key::{PlainKey, display_prefix};
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Scope;
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
    snippets: [Snippets; 3],
    is_open: bool,
    requires_proofs: bool,
}

/// Shows a key once. `visitor` is `None` if the session has just ended together with the old secret.
pub(super) async fn page(
    node: &Arc<Node>,
    visitor: Option<&Visitor>,
    shown: &NewSecret,
) -> Result<Response, Failure> {
    let NewSecret { kind, created } = shown;
    let (key, issuer) = (&created.key, &node.deployment.issuer);
    let audience = audience(node, key).await;
    let id = key.id.to_string();
    let shell = match visitor {
        Some(visitor) => visitor.shell_at(&key.organization, Section::Keys),
        None => Shell::of_nobody(node),
    };
    answer(&MadePage {
        href: shell.key(&KeyPath { organization: key.organization.clone(), key: key.id }),
        shell,
        kind: *kind,
        name: &key.name,
        snippets: Use { issuer, client_id: &id, audience: &audience }.snippets(),
        id,
        prefix: display_prefix(&key.brand, &key.environment, &key.id),
        // Every form of the console asks for a secret.
        key: created.plain.as_ref().map_or("", PlainKey::expose),
        issuer,
        is_open: key.cidrs.has_wildcard(),
        requires_proofs: key.dpop.is_required(),
    })
}

/// The audience of the key's tokens, unless the request names another one. The page appears even if the store can't be asked
/// right now: nobody sees the key again.
async fn audience(node: &Arc<Node>, key: &ApiKey) -> String {
    let is_for_management = key.scopes.iter().all(Scope::is_reserved);
    if is_for_management {
        return node.deployment.issuer.clone();
    }
    let cached = node.authenticator.key(&key.id).await.ok().flatten();
    let own = cached.and_then(|cached| cached.audiences.first().cloned());
    own.or_else(|| node.deployment.audiences.first().cloned()).unwrap_or_default()
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
