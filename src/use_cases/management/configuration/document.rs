//! The document that holds a configuration.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, KeyId};
use crate::domain::key::{ApiKey, DpopRequirement, Owner, RegisteredKey, Tags};
use crate::domain::named_scope::{NamedScope, ScopeText};
use crate::domain::names::{NamedScopeId, OrganizationId, ProjectId, TrustedIssuerId};
use crate::domain::scope::{Preset, Scope};
use crate::domain::tenant::{Organization, Project};
use crate::domain::trust_rule::TrustRule;
use crate::domain::trusted_issuer::{KeySource, SignatureAlgorithms, TrustedIssuer};
use crate::use_cases::management::issuers::IssuerStatus;

/// A whole organization. Whatever an applied document omits stays as it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a JSON object with organization, projects, scopes, issuers and keys"
)]
pub struct Configuration {
    /// The organization itself. An applied document has to name it.
    pub organization: Option<OrganizationConfiguration>,
    /// The projects of the organization.
    pub projects: Vec<ProjectConfiguration>,
    /// The whole catalogue of scopes of the organization. `None` says nothing about it.
    pub scopes: Option<Vec<NamedScopeConfiguration>>,
    /// All trusted issuers of the organization. `None` says nothing about them.
    pub issuers: Option<Vec<IssuerConfiguration>>,
    /// The keys of the organization that are not revoked.
    pub keys: Vec<KeyConfiguration>,
}

/// The wanted state of an organization.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with an organization's members")]
pub struct OrganizationConfiguration {
    /// The id of the organization. It detects a document for another organization.
    pub id: OrganizationId,
    /// The name. If it is absent, the name stays.
    pub name: Option<String>,
    /// The audiences. Absent or `null` stands for all of the deployment's.
    #[serde(default)]
    pub audiences: Option<Vec<String>>,
}

/// The wanted state of a project.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a project's members")]
pub struct ProjectConfiguration {
    /// The id of the project.
    pub id: ProjectId,
    /// The name. If it is absent, the name stays.
    pub name: Option<String>,
    /// The environments. If they are absent, they stay.
    pub environments: Option<Vec<String>>,
    /// The audiences. Absent or `null` stands for all of the organization's.
    #[serde(default)]
    pub audiences: Option<Vec<String>>,
}

/// The wanted state of an entry of the catalogue of scopes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a named scope's members")]
pub struct NamedScopeConfiguration {
    /// The id of the entry.
    pub id: NamedScopeId,
    /// The scope.
    pub scope: ScopeText,
    /// The name.
    pub name: String,
    /// The description. Absent or `null` is none.
    pub description: Option<String>,
    /// The group. Absent or `null` is none.
    pub group: Option<String>,
}

/// The wanted state of a trusted issuer. An absent member stays, or has its default in a new one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a trusted issuer's members")]
pub struct IssuerConfiguration {
    /// The id of the issuer.
    pub id: TrustedIssuerId,
    /// The name.
    pub name: Option<String>,
    /// What `iss` must be.
    pub issuer: String,
    /// Where its public keys come from.
    pub keys: KeySource,
    /// The signature algorithms that are accepted.
    pub algorithms: Option<SignatureAlgorithms>,
    /// The longest lifetime of a token, in seconds.
    pub max_lifetime: Option<u32>,
    /// Whether each token is accepted once.
    pub single_use: Option<bool>,
    /// Whether its tokens are accepted.
    pub status: Option<IssuerStatus>,
}

/// The wanted state of a key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a key's members")]
pub struct KeyConfiguration {
    /// The id of the key. If it is absent, the entry is for the key of this name in its project and environment.
    pub id: Option<KeyId>,
    /// The name of the key.
    pub name: String,
    /// The note. Absent or `null` is no note.
    pub note: Option<String>,
    /// The tags. If they are absent, they stay, so that a file from earlier does not remove them.
    pub tags: Option<Tags>,
    /// The owner. If it is absent, it stays. `null` is no owner, and so is an empty text: TOML has no `null`.
    #[serde(default, deserialize_with = "owner_or_none")]
    pub owner: Option<Option<Owner>>,
    /// The project of the key.
    pub project: ProjectId,
    /// The environment of the key.
    pub environment: EnvironmentSlug,
    /// The scopes: either these or a preset.
    pub scopes: Option<Vec<Scope>>,
    /// A name for a set of scopes. Exports never have it.
    #[serde(skip_serializing)]
    pub preset: Option<Preset>,
    /// The address ranges. Absent or `null` stands for all addresses.
    pub cidrs: Option<Vec<String>>,
    /// The end of the key, as RFC 3339. Absent or `null` is no end.
    pub expires_at: Option<String>,
    /// Whether the key is disabled. If this is absent or `null`, an existing key stays as it is, so that a file from
    /// earlier does not enable it again, and a new key is enabled. In an export, this is `true` or `null`.
    pub disabled: Option<bool>,
    /// Whether the key requires bound tokens. If this is absent or `null`, an existing key stays as it is. In an export, it
    /// is `required` or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop: Option<DpopRequirement>,
    /// Whether a new key gets a secret. If this is absent or `null`, it does. In an export, this is `false` for a key
    /// without a secret, or else `null`.
    pub secret: Option<bool>,
    /// All public keys of the key, as JWKs (RFC 7517). If they are absent, they stay.
    pub public_keys: Option<Vec<Value>>,
    /// All trust rules of the key. If they are absent, they stay.
    pub trust_rules: Option<Vec<TrustRule>>,
}

impl Configuration {
    /// The state that is stored at `now`, in an order that does not depend on when the parts were created.
    pub(super) fn of(
        organization: &Organization,
        projects: &[Project],
        scopes: &[NamedScope],
        issuers: &[TrustedIssuer],
        keys: &[ApiKey],
        now: Timestamp,
    ) -> Self {
        let mut projects: Vec<_> = projects.iter().map(ProjectConfiguration::from).collect();
        projects.sort_by(|one, other| one.id.cmp(&other.id));
        let mut scopes: Vec<_> = scopes.iter().map(NamedScopeConfiguration::from).collect();
        scopes.sort_by(|one, other| one.id.cmp(&other.id));
        let mut issuers: Vec<_> = issuers.iter().map(IssuerConfiguration::from).collect();
        issuers.sort_by(|one, other| one.id.cmp(&other.id));
        let mut keys: Vec<_> = keys.iter().map(|key| KeyConfiguration::exported(key, now)).collect();
        let place =
            |key: &KeyConfiguration| (key.project.clone(), key.environment.clone(), key.name.clone(), key.id);
        keys.sort_by_cached_key(place);
        Self {
            organization: Some(organization.into()),
            projects,
            scopes: Some(scopes),
            issuers: Some(issuers),
            keys,
        }
    }

    /// The part as JSON, to compare it.
    pub(super) fn json(part: &impl Serialize) -> Value {
        serde_json::to_value(part).unwrap_or_default()
    }
}

impl From<&Organization> for OrganizationConfiguration {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.id.clone(),
            name: Some(organization.name.clone()),
            audiences: organization.audiences.as_ref().map(|list| list.as_slice().to_vec()),
        }
    }
}

impl From<&Project> for ProjectConfiguration {
    fn from(project: &Project) -> Self {
        let environments = project.environments.iter().map(ToString::to_string);
        Self {
            id: project.id.clone(),
            name: Some(project.name.clone()),
            environments: Some(environments.collect()),
            audiences: project.audiences.as_ref().map(|list| list.as_slice().to_vec()),
        }
    }
}

impl From<&NamedScope> for NamedScopeConfiguration {
    fn from(entry: &NamedScope) -> Self {
        Self {
            id: entry.id.clone(),
            scope: entry.scope.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            group: entry.group.clone(),
        }
    }
}

impl From<&TrustedIssuer> for IssuerConfiguration {
    fn from(issuer: &TrustedIssuer) -> Self {
        let status = if issuer.is_active() { IssuerStatus::Active } else { IssuerStatus::Disabled };
        Self {
            id: issuer.id.clone(),
            name: Some(issuer.name.clone()),
            issuer: issuer.url.as_str().to_owned(),
            keys: issuer.keys.clone(),
            algorithms: Some(issuer.algorithms.clone()),
            max_lifetime: Some(issuer.max_lifetime),
            single_use: Some(issuer.single_use),
            status: Some(status),
        }
    }
}

impl KeyConfiguration {
    fn exported(key: &ApiKey, now: Timestamp) -> Self {
        let has_secret = key.live_secrets(now).next().is_some();
        Self { secret: (!has_secret).then_some(false), ..key.into() }
    }
}

fn owner_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Owner>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    text.map(|text| text.parse()).transpose().map(Some).map_err(D::Error::custom)
}

/// The JWK of a registered public key.
fn jwk(registered: &RegisteredKey) -> Value {
    serde_json::from_str(&registered.jwk).unwrap_or_default()
}

impl From<&ApiKey> for KeyConfiguration {
    fn from(key: &ApiKey) -> Self {
        let mut public_keys: Vec<_> = key.public_keys.iter().collect();
        public_keys.sort_by(|one, other| one.kid.cmp(&other.kid));
        let mut trust_rules: Vec<_> = key.trust_rules.iter().map(|held| held.rule.clone()).collect();
        trust_rules.sort_by_cached_key(|rule| serde_json::to_string(rule).unwrap_or_default());
        Self {
            id: Some(key.id),
            name: key.name.clone(),
            note: key.note.clone(),
            tags: Some(key.tags.clone()),
            owner: Some(key.owner.clone()),
            project: key.project.clone(),
            environment: key.environment.clone(),
            scopes: Some(key.scopes.iter().cloned().collect()),
            preset: None,
            cidrs: Some(key.cidrs.iter().map(ToString::to_string).collect()),
            expires_at: key.expires_at.map(Timestamp::rfc3339),
            disabled: key.disabled_at.map(|_| true),
            dpop: key.dpop.is_required().then_some(key.dpop),
            secret: None,
            public_keys: Some(public_keys.into_iter().map(jwk).collect()),
            trust_rules: Some(trust_rules),
        }
    }
}
