//! `claviger orgs export`.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ChosenOrganization;
use crate::cli::CliError;
use crate::cli::output::{self, Stream};
use crate::cli::remote::{Remote, read};
use crate::client::{Answer, Request};
use crate::domain::key::Tags;
use crate::domain::scope::Scope;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger orgs export acme > acme.toml
  claviger apply -f acme.toml --dry-run

The file contains public keys, trust rules, trusted issuers and named scopes, but no secrets and no revoked keys.")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    org: ChosenOrganization,

    /// Format [default: toml, or json with --json]
    #[arg(long, conflicts_with = "json")]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Toml,
    Json,
}

/// The configuration as a file for people. Scopes are in OAuth's form, and absent members are omitted.
#[derive(Deserialize, Serialize)]
struct Configuration {
    organization: Organization,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    projects: Vec<Project>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<NamedScope>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    issuers: Vec<Issuer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Key>,
}

#[derive(Deserialize, Serialize)]
struct Organization {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<Vec<String>>,
}

#[derive(Deserialize, Serialize)]
struct Project {
    id: String,
    name: String,
    environments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<Vec<String>>,
}

#[derive(Deserialize, Serialize)]
struct NamedScope {
    id: String,
    scope: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Issuer {
    id: String,
    name: String,
    issuer: String,
    algorithms: Vec<String>,
    max_lifetime: u32,
    single_use: bool,
    status: String,
    keys: Value,
}

#[derive(Deserialize, Serialize)]
struct Key {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    project: String,
    environment: String,
    #[serde(serialize_with = "in_words")]
    scopes: Vec<Scope>,
    cidrs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<bool>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_keys: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_rules: Option<Vec<Value>>,
}

impl ExportArgs {
    pub(super) async fn run(self, remote: &Remote) -> Result<(), CliError> {
        let org = self.org.of(remote).await?;
        let answer = remote.ask(Request::get(&["v1", "orgs", org.as_str(), "configuration"])).await?;
        if remote.as_json() || self.format == Some(Format::Json) {
            output::json(&answer.body)?;
        } else {
            Stream::Out.write(as_toml(&answer)?.as_bytes())?;
        }
        Ok(())
    }
}

fn as_toml(answer: &Answer) -> Result<String, CliError> {
    let configuration: Configuration = read(answer)?;
    toml::to_string_pretty(&configuration).map_err(CliError::failed)
}

fn in_words<S: serde::Serializer>(scopes: &[Scope], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(scopes.iter().map(ToString::to_string))
}
