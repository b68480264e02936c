//! The options that say which server, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::Remote;
use super::credential::find_credential;
use super::server::Server;
use crate::cli::CliError;
use crate::client::{BaseUrl, Client, Limits, Transport};
use crate::names::OrganizationId;

/// Which server to ask, as whom, and how to show what it says.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server and output")]
pub(in crate::cli) struct RemoteArgs {
    /// Base URL of the server [env: CLAVIGER_URL, or a profile's]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "profile", hide_short_help = true)]
    pub(super) url: Option<BaseUrl>,

    /// Profile to take server and key from [env: CLAVIGER_PROFILE] [default: the one called default]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(super) profile: Option<String>,

    /// File with the API key or token, of mode 0600; - for standard input [env: CLAVIGER_API_KEY has the key
    /// itself]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) api_key_file: Option<PathBuf>,

    /// Certificate authorities to believe, as PEM [env: CLAVIGER_CA_FILE] [default: the system's]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) ca_file: Option<PathBuf>,

    /// Send the key over plain http to another machine too
    #[arg(long, global = true, env = "CLAVIGER_CLIENT_ALLOW_HTTP", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true, hide_short_help = true,
          value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    allow_http: bool,

    /// Seconds that the server has for an answer
    #[arg(long, global = true, env = "CLAVIGER_TIMEOUT", default_value = "30", value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=3600), hide_short_help = true)]
    timeout: u32,

    /// Print the server's JSON as it is
    #[arg(long, global = true)]
    pub(in crate::cli) json: bool,
}

/// The same, for what belongs to an organization.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct OrganizationArgs {
    /// Organization [env: CLAVIGER_ORG, or a profile's] [default: the caller's own]
    #[arg(long, global = true, value_name = "ORG")]
    org: Option<OrganizationId>,

    #[command(flatten)]
    remote: RemoteArgs,
}

impl OrganizationArgs {
    /// The server, with the organization that is named.
    pub(in crate::cli) fn connect(self) -> Result<Remote, CliError> {
        let remote = self.remote.connect()?;
        Ok(Remote { organization: self.org.or(remote.organization), ..remote })
    }

    /// The same as `--json`.
    pub(in crate::cli) fn print_json(&mut self) {
        self.remote.json = true;
    }
}

impl RemoteArgs {
    /// The server, with a credential to show.
    pub(in crate::cli) fn connect(&self) -> Result<Remote, CliError> {
        let server = Server::choose(self)?;
        let credential = find_credential(self.api_key_file.as_deref(), &server)?;
        let over = if self.allow_http { Transport::Any } else { Transport::Private };
        let client = self.client(&server)?.with_credential(credential, over)?;
        Ok(Remote { client, organization: server.organization()?, as_json: self.json })
    }

    /// The server, to be asked for what it tells everybody.
    pub(in crate::cli) fn connect_anonymously(&self) -> Result<Remote, CliError> {
        let client = self.client(&Server::choose(self)?)?;
        Ok(Remote { client, organization: None, as_json: self.json })
    }

    fn client(&self, server: &Server) -> Result<Client, CliError> {
        let answer = Duration::from_secs(self.timeout.into());
        let limits = Limits { answer, connect: Limits::default().connect.min(answer), ..Limits::default() };
        Ok(Client::new(server.url.clone(), &server.trust(self.ca_file.clone()), limits)?)
    }
}
