//! `claviger self`.

use clap::Args;
use serde::Deserialize;

use super::CliError;
use super::output::{Sheet, Stream};
use super::remote::RemoteArgs;
use super::view::{lines, or_never};
use crate::client::Request;
use crate::domain::scope::Scope;

/// Show the credential's owner and what it can do
#[derive(Debug, Args)]
pub(super) struct SelfArgs {
    #[command(flatten)]
    remote: RemoteArgs,
}

#[derive(Deserialize)]
struct OwnKey {
    id: String,
    organization: String,
    project: String,
    environment: String,
    scopes: Vec<Scope>,
    cidrs: Vec<String>,
    expires_at: Option<String>,
    address: Option<String>,
}

impl SelfArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.remote.connect()?;
        let server = remote.client().base().to_string();
        let print = |own: OwnKey| {
            Sheet::new()
                .line("Server", server)
                .line("Key", own.id)
                .line("Organization", own.organization)
                .line("Project", own.project)
                .line("Environment", own.environment)
                .line("Scopes", lines(&own.scopes))
                .line("Addresses", lines(&own.cidrs))
                .line("Expires", or_never(own.expires_at.as_deref()))
                .line("Seen from", own.address.as_deref().unwrap_or("an unknown address"))
                .print(Stream::Out)
        };
        remote.ask_and_show(Request::get(&["v1", "self"]), print).await
    }
}
