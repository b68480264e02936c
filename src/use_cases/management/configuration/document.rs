//! The document that a configuration is written in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::api_key::{EnvironmentSlug, KeyId};
use crate::domain::key::ApiKey;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::{Preset, Scope};
use crate::domain::tenant::{Organization, Project};

/// A whole organization. What an applied document leaves out stays as it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with organization, projects and keys")]
pub struct Configuration {
    /// The organization itself. An applied document has to name it.
    pub organization: Option<OrganizationConfiguration>,
    /// Its projects.
    pub projects: Vec<ProjectConfiguration>,
    /// Its keys that are not revoked.
    pub keys: Vec<KeyConfiguration>,
}

/// An organization, as it should be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with an organization's members")]
pub struct OrganizationConfiguration {
    /// Its id, to tell a document that is another one's.
    pub id: OrganizationId,
    /// Its name; absent, it stays.
    pub name: Option<String>,
    /// Its audiences; absent or `null`, all of the deployment's.
    #[serde(default)]
    pub audiences: Option<Vec<String>>,
}

/// A project, as it should be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a project's members")]
pub struct ProjectConfiguration {
    /// Its id.
    pub id: ProjectId,
    /// Its name; absent, it stays.
    pub name: Option<String>,
    /// Its environments; absent, they stay.
    pub environments: Option<Vec<String>>,
    /// Its audiences; absent or `null`, all of the organization's.
    #[serde(default)]
    pub audiences: Option<Vec<String>>,
}

/// A key, as it should be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a key's members")]
pub struct KeyConfiguration {
    /// Which one it is; absent, the one of its name in its project and environment.
    pub id: Option<KeyId>,
    /// Its name.
    pub name: String,
    /// Its note; absent or `null`, none.
    pub note: Option<String>,
    /// Its project.
    pub project: ProjectId,
    /// Its environment.
    pub environment: EnvironmentSlug,
    /// Its scopes: these or a preset's.
    pub scopes: Option<Vec<Scope>>,
    /// Stands for scopes; never in what is exported.
    #[serde(skip_serializing)]
    pub preset: Option<Preset>,
    /// Its ranges; absent or `null`, everyone's.
    pub cidrs: Option<Vec<String>>,
    /// Its end, as RFC 3339; absent or `null`, none.
    pub expires_at: Option<String>,
    /// Whether it is disabled. Absent or `null`, an old key stays as it is, so that a file that was written before does
    /// not enable it again, and a new one is enabled. In what is exported it is `true` or `null`.
    pub disabled: Option<bool>,
}

impl Configuration {
    /// What there is, in an order that does not depend on when it was made.
    pub(super) fn of(organization: &Organization, projects: &[Project], keys: &[ApiKey]) -> Self {
        let mut projects: Vec<_> = projects.iter().map(ProjectConfiguration::from).collect();
        projects.sort_by(|one, other| one.id.cmp(&other.id));
        let mut keys: Vec<_> = keys.iter().map(KeyConfiguration::from).collect();
        let place =
            |key: &KeyConfiguration| (key.project.clone(), key.environment.clone(), key.name.clone(), key.id);
        keys.sort_by_cached_key(place);
        Self { organization: Some(organization.into()), projects, keys }
    }

    /// As JSON, to tell what changes.
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

impl From<&ApiKey> for KeyConfiguration {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: Some(key.id),
            name: key.name.clone(),
            note: key.note.clone(),
            project: key.project.clone(),
            environment: key.environment.clone(),
            scopes: Some(key.scopes.iter().cloned().collect()),
            preset: None,
            cidrs: Some(key.cidrs.iter().map(ToString::to_string).collect()),
            expires_at: key.expires_at.map(crate::base::clock::Timestamp::rfc3339),
            disabled: key.disabled_at.map(|_| true),
        }
    }
}
