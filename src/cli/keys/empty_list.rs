//! Explains an empty list of keys.

use clap::Args;
use hyper::StatusCode;
use serde::Deserialize;

use super::Keys;
use crate::cli::CliError;
use crate::cli::remote::read;
use crate::cli::view::Project;
use crate::client::Request;
use crate::domain::api_key::EnvironmentSlug;
use crate::domain::names::ProjectId;
use crate::domain::scope::{Scope, Verb};
use crate::store::VisibleKeys;
use crate::use_cases::access::keys_within;

/// The project and the environment to list.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// Only this project
    #[arg(long)]
    pub(super) project: Option<ProjectId>,

    /// Only this environment
    #[arg(long, alias = "environment", value_name = "ENV")]
    pub(super) env: Option<EnvironmentSlug>,
}

/// The part of `GET /v1/self` that shows what the caller may read.
#[derive(Deserialize)]
struct OwnKey {
    scopes: Vec<Scope>,
}

impl PlaceArgs {
    /// Explains why no key is visible here: the caller may read none, or the place does not exist. `None` if simply no
    /// key matches.
    pub(super) async fn reason_for_none(&self, keys: &Keys<'_>) -> Result<Option<String>, CliError> {
        let Keys { remote, org } = keys;
        let own: OwnKey = read(&remote.ask(Request::get(&["v1", "self"])).await?)?;
        if keys_within(&own.scopes, Verb::Read, org) == VisibleKeys::Only(Vec::new()) {
            return Ok(Some(format!(
                "This credential cannot see any key of {org}. It needs a scope such as \
                 read:claviger/orgs/{org}/projects/*/keys/*."
            )));
        }
        let Some(project) = &self.project else { return Ok(None) };
        let path = ["v1", "orgs", org.as_str(), "projects", project.as_str()];
        let answer = remote.client().send(Request::get(&path)).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(Some(format!("The project {project} does not exist in {org}."))),
            StatusCode::OK => Ok(self.unknown_environment(&read(&answer)?)),
            // The caller may read the keys without a scope to read the project.
            _ => Ok(None),
        }
    }

    fn unknown_environment(&self, project: &Project) -> Option<String> {
        let env = self
            .env
            .as_ref()
            .filter(|env| !project.environments.iter().any(|known| known == env.as_str()))?;
        Some(format!(
            "The project {} has no environment {env}; it has {}.",
            project.id,
            project.environments.join(", ")
        ))
    }
}
