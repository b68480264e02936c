//! `claviger token`.

use clap::Args;
use serde::Deserialize;

use super::CliError;
use super::output::say;
use super::remote::RemoteArgs;
use crate::client::{BearerCredential, Request};
use crate::domain::scope::Scope;

/// Get an access token for the API key, and print only the token
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  curl -H \"Authorization: Bearer $(claviger token)\" https://api.example.com/reports
  claviger token --scope read:projects/web --resource https://api.example.com
  claviger token --json                      # with expires_in and scope

A token is valid for at most ten minutes. Without --resource, its audience is the project's first audience. A key with only
scopes under claviger/ gets a token for the management API.")]
pub(super) struct TokenArgs {
    /// Scope to request; repeatable [default: all scopes of the key for the audience]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,

    /// Audience of the token; repeatable [default: the project's first audience]
    #[arg(long = "resource", alias = "audience", value_name = "URI")]
    resources: Vec<String>,

    #[command(flatten)]
    remote: RemoteArgs,
}

/// The printed part of a token response (RFC 6749 §5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: BearerCredential,
}

impl TokenArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.remote.connect()?;
        let key = remote.client().credential().map_or("", BearerCredential::expose);
        let scopes: Vec<String> = self.scopes.iter().map(ToString::to_string).collect();
        let scope = scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials"), ("client_secret", key)];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        form.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        // RFC 6749 §2.3: a request must not use more than one authentication method.
        let request = Request::post(&["oauth", "token"]).form(&form).anonymous();
        remote.ask_and_show(request, |granted: Granted| say(granted.access_token.expose())).await
    }
}
