//! The options that choose the server and the credential.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use super::Remote;
use super::credential::{find_credential, runs_a_command};
use super::proxy::find_proxy;
use super::server::Server;
use crate::cli::CliError;
use crate::cli::profiles::ProfileName;
use crate::client::{BaseUrl, Client, RequestLimits, Transport};
use crate::domain::names::OrganizationId;

const HEADING: &str = "Server and output";

/// The choice of the server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(in crate::cli) struct ServerChoice {
    /// Base URL of the server [env: CLAVIGER_URL, or a profile's]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "profile", hide_short_help = true)]
    pub(super) url: Option<BaseUrl>,

    /// Profile with the server and the key [env: CLAVIGER_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(super) profile: Option<ProfileName>,

    /// PEM file with trusted certificate authorities [env: CLAVIGER_CA_FILE] [default: the system's]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    ca_file: Option<PathBuf>,

    /// Seconds to wait for a response
    #[arg(long, global = true, env = "CLAVIGER_TIMEOUT", hide_env_values = true, default_value = "30",
          value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600),
          hide_short_help = true)]
    timeout: u32,
}

/// The choice of the server, the credential and the output format.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(in crate::cli) struct RemoteArgs {
    #[command(flatten)]
    server: ServerChoice,

    /// File with the API key or token, mode 0600, or - for standard input [env: CLAVIGER_API_KEY holds the key
    /// itself]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    api_key_file: Option<PathBuf>,

    /// Allow plain HTTP to another machine
    #[arg(long, global = true, env = "CLAVIGER_CLIENT_ALLOW_HTTP", hide_env_values = true,
          action = ArgAction::SetTrue, value_parser = BoolishValueParser::new(), hide_short_help = true)]
    allow_http: bool,

    /// Print the server's JSON unchanged
    #[arg(long, global = true)]
    json: bool,
}

/// The same options, for commands about an organization.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct OrganizationArgs {
    /// Organization [env: CLAVIGER_ORG, or a profile's] [default: the caller's own]
    #[arg(long, global = true, value_name = "ORG")]
    org: Option<OrganizationId>,

    #[command(flatten)]
    remote: RemoteArgs,
}

impl OrganizationArgs {
    /// The server with the named organization.
    pub(in crate::cli) fn connect(self) -> Result<Remote, CliError> {
        let mut remote = self.remote.connect()?;
        remote.organization = self.org.or(remote.organization);
        Ok(remote)
    }

    /// The server with the named organization, if its credential can be had without running or asking anything. A profile's
    /// command may ask for a passphrase, and standard input is a terminal.
    pub(in crate::cli) fn connect_unattended(self) -> Result<Option<Remote>, CliError> {
        let RemoteArgs { server, api_key_file, .. } = &self.remote;
        let asks = match api_key_file {
            Some(file) => file == Path::new("-"),
            None => runs_a_command(&Server::choose(server)?),
        };
        if asks { Ok(None) } else { self.connect().map(Some) }
    }

    /// Acts like `--json`.
    pub(in crate::cli) fn print_json(&mut self) {
        self.remote.json = true;
    }
}

impl RemoteArgs {
    /// The server with a credential.
    pub(in crate::cli) fn connect(&self) -> Result<Remote, CliError> {
        let server = Server::choose(&self.server)?;
        let client = self.server.client(&server)?;
        let over = self.transport();
        let found = find_credential(self.api_key_file.as_deref(), &server)?;
        let sources = format!("The URL is from {}, the key from {}.", server.named_by, found.place);
        let client = client.with_credential(found.credential, over);
        let client = client.map_err(|error| CliError::from(error).asking(&sources))?;
        let (organization, url_from) = (server.organization()?, server.named_by);
        Ok(Remote { client, organization, as_json: self.json, url_from, sources })
    }
}

impl RemoteArgs {
    /// The server without a credential, for a request that has another kind of credential in its body.
    pub(in crate::cli) fn connect_without_key(&self) -> Result<Remote, CliError> {
        let Remote { client, sources, url_from, .. } = self.server.connect()?;
        let client = client.for_secrets(self.transport());
        let client = client.map_err(|error| CliError::from(error).asking(&sources))?;
        Ok(Remote { client, organization: None, as_json: self.json, url_from, sources })
    }

    fn transport(&self) -> Transport {
        if self.allow_http { Transport::Any } else { Transport::Private }
    }
}

impl ServerChoice {
    /// The server without a credential, for public information.
    pub(in crate::cli) fn connect(&self) -> Result<Remote, CliError> {
        let server = Server::choose(self)?;
        let client = self.client(&server)?;
        let (sources, url_from) = (format!("The URL is from {}.", server.named_by), server.named_by);
        Ok(Remote { client, organization: None, as_json: false, url_from, sources })
    }

    fn client(&self, server: &Server) -> Result<Client, CliError> {
        let answer = Duration::from_secs(self.timeout.into());
        let limits = RequestLimits {
            answer,
            connect: RequestLimits::default().connect.min(answer),
            ..RequestLimits::default()
        };
        let client = Client::new(server.url.clone(), &server.trust(self.ca_file.clone()), limits)?;
        Ok(match find_proxy(&server.url)? {
            Some(proxy) => client.with_proxy(proxy),
            None => client,
        })
    }
}
