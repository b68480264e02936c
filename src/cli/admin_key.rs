//! `claviger admin-key`.

use clap::Args;
use serde_json::json;

use super::CliError;
use super::output::{Stream, say};
use super::serve::{cannot_open, ground};
use super::server_args::ServerArgs;
use crate::api_key::{EnvironmentSlug, PlainKey};
use crate::bootstrap::NewAdministrator;
use crate::config::Config;
use crate::key::ApiKey;
use crate::names::{OrganizationId, ProjectId};
use crate::store::{OpenError, Store};

/// Make a new administrator's key on the store itself, for whoever has lost theirs; the last line printed is the key alone
#[derive(Debug, Args)]
#[command(after_help = "\
It takes the settings of the server and its master key. With PostgreSQL the servers go on running, and the key works
at once; with SQLite stop the server first. The key has the scope *:claviger/**, no end, and can be used from everywhere.
The audit trail has the event key.create by the actor operator. Other keys stay as they are: revoke the lost one.")]
pub(super) struct AdminKeyArgs {
    /// What to call the key
    #[arg(long, default_value = "Administrator")]
    name: String,

    /// Organization that it belongs to [default: default, or else the oldest]
    #[arg(long)]
    org: Option<OrganizationId>,

    /// Project that it belongs to [default: default, or else the oldest]
    #[arg(long)]
    project: Option<ProjectId>,

    /// Environment that it belongs to [default: prd, or else the project's first]
    #[arg(long, alias = "environment", value_name = "ENV")]
    env: Option<EnvironmentSlug>,

    /// Answer in JSON
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
            let ground = ground(&config, open(&config).await?, config.listen);
            let made = ground.foundation().add_administrator(new).await;
            ground.store.close().await;
            let (key, plain) = made?;
            show(&key, &plain, json)
        };
        server.load()?.run(make).await
    }
}

/// Prints the key, which exists nowhere else.
fn show(key: &ApiKey, plain: &PlainKey, json: bool) -> Result<(), CliError> {
    let told = if json { Ok(()) } else { say(&in_words(key)) };
    let text = if json { in_json(key, plain) } else { plain.expose().to_owned() };
    told.and_then(|()| Stream::Out.only_copy(&text)).map_err(|source| CliError::SecretLost {
        lost_keys: vec![key.id.to_string()],
        source,
        advice: "Run it again, and revoke the key that nobody has seen.".into(),
    })
}

/// Opens the store. SQLite's belongs to one process at a time.
async fn open(config: &Config) -> Result<Store, CliError> {
    Store::open(&config.database_url).await.map_err(|error| match error {
        OpenError::InUse(path) => CliError::Failed(format!(
            "a server is using {}: stop it, run this again, and start it. An SQLite store has one process at a time",
            path.display()
        )),
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
        "Made {} {:?} in {}/{}, environment {}: it can administer everything, and is revoked like any other key.\n\
         The key, shown this once:",
        key.id, key.name, key.organization, key.project, key.environment
    )
}
