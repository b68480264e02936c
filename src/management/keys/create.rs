//! Making a key.

use std::sync::Arc;

use serde::Deserialize;

use super::expiry::{ExpiresIn, end};
use crate::access::Caller;
use crate::api_key::{EnvironmentSlug, PlainKey};
use crate::audit::Actor;
use crate::cidr::Cidrs;
use crate::clock::Timestamp;
use crate::key::{ApiKey, KeySecret, SecretId, words};
use crate::management::ApiError;
use crate::management::ceiling::{Rights, may_hand_out};
use crate::names::{OrganizationId, ProjectId};
use crate::node::Node;
use crate::scope::{Preset, Scope, Scopes, Verb};
use crate::store::NewKey;

/// The body that a key is made from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a key's members")]
pub struct NewKeyRequest {
    name: String,
    note: Option<String>,
    project: ProjectId,
    environment: EnvironmentSlug,
    scopes: Option<Vec<Scope>>,
    preset: Option<Preset>,
    cidrs: Option<Vec<String>>,
    expires_at: Option<String>,
    expires_in: Option<ExpiresIn>,
}

/// A new key, and the one chance to see it whole.
#[derive(Debug)]
pub struct CreatedKey {
    /// As it is stored.
    pub key: ApiKey,
    /// The key itself.
    pub plain: PlainKey,
}

/// Makes a key in `organization`.
///
/// # Errors
/// [`ApiError`]; nothing has been made then.
pub async fn create(
    node: &Arc<Node>,
    caller: &Caller,
    organization: OrganizationId,
    request: NewKeyRequest,
    request_id: String,
) -> Result<CreatedKey, ApiError> {
    caller.may_all_in(&organization, Verb::Write, &["projects", request.project.as_str(), "keys", "*"])?;
    let now = node.clock.now();
    let plain = PlainKey::generate(&node.deployment.brand, &request.environment, &node.tagger, &node.entropy)
        .map_err(ApiError::internal)?;
    let key = request.into_key(node, caller, organization, &plain, now)?;
    let rights = Rights { scopes: &key.scopes, cidrs: &key.cidrs, expires_at: key.expires_at };
    may_hand_out(caller, rights)?;
    let secret = KeySecret {
        id: SecretId::generate(&node.entropy).map_err(ApiError::internal)?,
        hash: node.secrets.hash(plain.secret(), &node.entropy).await?,
        created_at: now,
        expires_at: None,
        last_used_at: None,
    };
    let new = NewKey::new(key, secret);
    let key = new.key().clone();
    store(node, new, now, caller.actor(request_id)).await?;
    Ok(CreatedKey { key, plain })
}

async fn store(node: &Arc<Node>, new: NewKey, now: Timestamp, actor: Actor) -> Result<(), ApiError> {
    let node = Arc::clone(node);
    let stored = Node::see_through(async move { node.store.create_key(&new, now, &actor).await });
    Ok(stored.await.ok_or_else(|| ApiError::internal("creating a key panicked"))??)
}

impl NewKeyRequest {
    fn into_key(
        self,
        node: &Node,
        caller: &Caller,
        organization: OrganizationId,
        plain: &PlainKey,
        now: Timestamp,
    ) -> Result<ApiKey, ApiError> {
        let invalid = |error: &dyn std::fmt::Display| ApiError::InvalidRequest(error.to_string());
        Ok(ApiKey {
            id: plain.id(),
            scopes: scopes(self.scopes, self.preset, &organization)?,
            cidrs: cidrs(self.cidrs.as_deref().unwrap_or_default())?,
            expires_at: end(self.expires_at.as_deref(), self.expires_in.as_ref(), now)?,
            name: words::name(self.name).map_err(|error| invalid(&error))?,
            note: self.note.map(words::note).transpose().map_err(|error| invalid(&error))?,
            organization,
            project: self.project,
            environment: self.environment,
            brand: node.deployment.brand.clone(),
            generation: 1,
            created_at: now,
            created_by: caller.key.key.id.to_string(),
            revoked: None,
            last_used_at: None,
            secrets: Vec::new(),
        })
    }
}

fn scopes(
    scopes: Option<Vec<Scope>>,
    preset: Option<Preset>,
    organization: &OrganizationId,
) -> Result<Scopes, ApiError> {
    match (scopes, preset) {
        (Some(scopes), None) => {
            Scopes::for_key(scopes).map_err(|error| ApiError::InvalidRequest(error.to_string()))
        }
        (None, Some(preset)) => preset.scopes(organization.as_str()).map_err(ApiError::internal),
        _ => Err(ApiError::InvalidRequest("a key takes either scopes or a preset".into())),
    }
}

fn cidrs(entries: &[String]) -> Result<Cidrs, ApiError> {
    Cidrs::parse(entries.iter().map(String::as_str))
        .map_err(|error| ApiError::InvalidRequest(error.to_string()))
}
