//! The form of a key in the management API and the audit trail.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{ApiKey, DpopRequirement, Owner, RegisteredKey, RegisteredRule, Tags};
use crate::base::clock::Timestamp;
use crate::domain::api_key::display_prefix;
use crate::domain::cidr::Cidrs;
use crate::domain::scope::Scopes;

/// The JSON form of a key. Absent values are `null` and never left out.
#[derive(Debug, Serialize)]
pub struct KeyView<'a> {
    id: String,
    name: &'a str,
    note: Option<&'a str>,
    tags: &'a Tags,
    owner: Option<&'a Owner>,
    prefix: String,
    organization: &'a str,
    project: &'a str,
    environment: &'a str,
    status: &'static str,
    scopes: &'a Scopes,
    cidrs: &'a Cidrs,
    dpop: DpopRequirement,
    warnings: Vec<&'static str>,
    generation: u64,
    created_at: String,
    created_by: &'a str,
    created_by_name: Option<&'a str>,
    expires_at: Option<String>,
    disabled_at: Option<String>,
    revoked_at: Option<String>,
    revoked_reason: Option<&'a str>,
    last_used_at: Option<String>,
    last_used_address: Option<String>,
    secrets: Vec<SecretView>,
    public_keys: Vec<PublicKeyView<'a>>,
    trust_rules: Vec<TrustRuleView<'a>>,
}

#[derive(Debug, Serialize)]
struct SecretView {
    id: String,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// The JSON form of a registered public key.
#[derive(Debug, Serialize)]
pub struct PublicKeyView<'a> {
    id: String,
    kid: &'a str,
    alg: &'a str,
    created_at: String,
    last_used_at: Option<String>,
}

/// The JSON form of a registered trust rule.
#[derive(Debug, Serialize)]
pub struct TrustRuleView<'a> {
    id: String,
    issuer: &'a str,
    audience: Option<&'a str>,
    subject: Option<String>,
    claims: BTreeMap<String, &'a str>,
    created_at: String,
    last_used_at: Option<String>,
}

/// A key with its whole text, which is shown once. `null` after that.
#[derive(Debug, Serialize)]
pub struct WholeKeyView<'a> {
    #[serde(flatten)]
    view: KeyView<'a>,
    key: Option<&'a str>,
}

impl ApiKey {
    /// [`ApiKey::view`] with the whole text of the key.
    pub fn view_with<'a>(&'a self, now: Timestamp, key: Option<&'a str>) -> WholeKeyView<'a> {
        WholeKeyView { view: self.view(now), key }
    }

    /// The form of the key at `now`.
    pub fn view(&self, now: Timestamp) -> KeyView<'_> {
        KeyView {
            id: self.id.to_string(),
            name: &self.name,
            note: self.note.as_deref(),
            tags: &self.tags,
            owner: self.owner.as_ref(),
            prefix: display_prefix(&self.brand, &self.environment, &self.id),
            organization: self.organization.as_str(),
            project: self.project.as_str(),
            environment: self.environment.as_str(),
            status: self.status(now).as_str(),
            scopes: &self.scopes,
            cidrs: &self.cidrs,
            dpop: self.dpop,
            warnings: self.warnings(),
            generation: self.generation,
            created_at: self.created_at.rfc3339(),
            created_by: &self.created_by.id,
            created_by_name: self.created_by.name.as_deref(),
            expires_at: self.expires_at.map(Timestamp::rfc3339),
            disabled_at: self.disabled_at.map(Timestamp::rfc3339),
            revoked_at: self.revoked.as_ref().map(|revoked| revoked.at.rfc3339()),
            revoked_reason: self.revoked.as_ref().and_then(|revoked| revoked.reason.as_deref()),
            last_used_at: self.last_used_at.map(Timestamp::rfc3339),
            last_used_address: self.last_seen.map(|seen| seen.address.to_string()),
            secrets: self.live_secrets(now).map(SecretView::from).collect(),
            public_keys: self.public_keys.iter().map(RegisteredKey::view).collect(),
            trust_rules: self.trust_rules.iter().map(RegisteredRule::view).collect(),
        }
    }

    /// [`ApiKey::view`] as a JSON value.
    pub fn json(&self, now: Timestamp) -> Value {
        // Whoever reads the audit trail need not be allowed to read the key.
        let view = KeyView { last_used_address: None, ..self.view(now) };
        serde_json::to_value(view).unwrap_or_default()
    }

    /// What the creator of this key should reconsider.
    fn warnings(&self) -> Vec<&'static str> {
        let open = self.cidrs.has_wildcard();
        open.then_some("cidrs_wildcard").into_iter().collect()
    }
}

impl RegisteredKey {
    /// The JSON form of the registration.
    pub fn view(&self) -> PublicKeyView<'_> {
        PublicKeyView {
            id: self.id.to_string(),
            kid: &self.kid,
            alg: &self.algorithm,
            created_at: self.created_at.rfc3339(),
            last_used_at: self.last_used_at.map(Timestamp::rfc3339),
        }
    }
}

impl RegisteredRule {
    /// The JSON form of the registration.
    pub fn view(&self) -> TrustRuleView<'_> {
        TrustRuleView {
            id: self.id.to_string(),
            issuer: self.rule.issuer().as_str(),
            audience: self.rule.audience(),
            subject: self.rule.subject().map(ToString::to_string),
            claims: self.rule.claims().map(|(pointer, value)| (pointer.to_string(), value)).collect(),
            created_at: self.created_at.rfc3339(),
            last_used_at: self.last_used_at.map(Timestamp::rfc3339),
        }
    }
}

impl From<&super::KeySecret> for SecretView {
    fn from(secret: &super::KeySecret) -> Self {
        Self {
            id: secret.id.to_string(),
            created_at: secret.created_at.rfc3339(),
            expires_at: secret.expires_at.map(Timestamp::rfc3339),
            last_used_at: secret.last_used_at.map(Timestamp::rfc3339),
        }
    }
}
