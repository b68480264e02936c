//! `claviger admin-key`.

use clap::Args;
use serde_json::json;

use super::CliError;
use super::failure::Failure;
use super::output::{Stream, say};
use super::serve::{bootstrap_context, cannot_open};
use super::server_args::ServerArgs;
use crate::domain::api_key::{EnvironmentSlug, PlainKey};
use crate::domain::key::ApiKey;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::server::config::Config;
use crate::store::{OpenError, Store};
use crate::use_cases::bootstrap::NewAdministrator;

/// Create a new administrator's key directly in the store, to replace a lost one; the last output line is the key
#[derive(Debug, Args)]
#[command(after_help = "\
The command uses the server's settings and master key. With PostgreSQL, servers keep running, and the key works at once. With
SQLite, stop the server first. The key has the scope *:claviger/**, no expiry, and no network restriction. The audit trail
records key.create by the actor operator. The key is a recovery key: it opens the console even with
console_sign_in_by_key at admin-key. Other keys stay as they are, so revoke the lost one.")]
pub(super) struct AdminKeyArgs {
    /// Name of the key
    #[arg(long, default_value = "Administrator")]
    name: String,

    /// Organization of the key [default: default, or else the oldest]
    #[arg(long)]
    org: Option<OrganizationId>,

    /// Project of the key [default: default, or else the oldest]
    #[arg(long)]
    project: Option<ProjectId>,

    /// Environment of the key [default: prd, or else the project's first]
    #[arg(long, alias = "environment", value_name = "ENV")]
    env: Option<EnvironmentSlug>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl AdminKeyArgs {
    pub(super) fn server(&mut self) -> &mut ServerArgs {
        &mut self.server
    }

    pub(super) async fn run(self) -> Result<(), CliError> {
        let Self { name, org, project, env, json, server } = self;
        let new = NewAdministrator { name, organization: org, project, environment: env };
        let make = async |config: Config| {
            let context = bootstrap_context(&config, open(&config).await?, config.listen).await?;
            let made = context.bootstrapper().add_administrator(new).await;
            context.store.close().await;
            let (key, plain) = made?;
            show(&key, &plain, json)
        };
        server.load()?.run(make).await
    }
}

/// Prints the key, whose only copy this is.
fn show(key: &ApiKey, plain: &PlainKey, json: bool) -> Result<(), CliError> {
    let told = if json { Ok(()) } else { say(&in_words(key)) };
    let text = if json { in_json(key, plain) } else { plain.expose().to_owned() };
    told.and_then(|()| Stream::Out.only_copy(&text)).map_err(|source| CliError::SecretLost {
        lost_keys: vec![key.id.to_string()],
        source,
        advice: "Run the command again, and revoke the key that nobody has seen.".into(),
    })
}

/// Opens the store. Only one process at a time can open an SQLite store.
async fn open(config: &Config) -> Result<Store, CliError> {
    Store::open(&config.database_url).await.map_err(|error| match error {
        OpenError::InUse(path) => Failure::StoreInUse(path).into(),
        error => cannot_open(error),
    })
}

fn in_json(key: &ApiKey, plain: &PlainKey) -> String {
    json!({
        "id": key.id,
        "name": key.name,
        "organization": key.organization,
        "project": key.project,
        "environment": key.environment,
        "key": plain.expose(),
    })
    .to_string()
}

fn in_words(key: &ApiKey) -> String {
    format!(
        "Created {} {:?} in {}/{}, environment {}. It can administer everything. You can revoke it like any other key.\n\
         The key, shown only once:",
        key.id, key.name, key.organization, key.project, key.environment
    )
}
