//! `claviger token`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use clap::Args;
use serde::Deserialize;

use super::CliError;
use super::failure::UsageError;
use super::output::say;
use super::remote::{Remote, RemoteArgs};
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::base::key_file;
use crate::client::{BearerCredential, Request};
use crate::domain::api_key::KeyId;
use crate::domain::scope::Scope;
use crate::jose::assertion::{JWT_BEARER, NewAssertion};
use crate::jose::pem;

/// Get an access token for the API key, and print only the token
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  curl -H \"Authorization: Bearer $(claviger token)\" https://api.example.com/reports
  claviger token --scope read:projects/web --resource https://api.example.com
  claviger token --json                      # with expires_in and scope
  claviger token --client-id key_wgIfG8DxmYsdKIm5 --private-key client.pem

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
    signer: SignerArgs,

    #[command(flatten)]
    remote: RemoteArgs,
}

/// The options of a client that signs an assertion instead of sending a secret (RFC 7523 §2.2).
#[derive(Debug, Args)]
#[command(next_help_heading = "With a private key instead of the API key")]
struct SignerArgs {
    /// PEM file with the private half of a registered public key, mode 0600
    #[arg(long, value_name = "FILE", requires = "client_id")]
    private_key: Option<PathBuf>,

    /// Id of the API key that the public key is registered for
    #[arg(long, value_name = "KEY", requires = "private_key")]
    client_id: Option<KeyId>,

    /// Id of the public key [default: the server tries all of the same algorithm]
    #[arg(long, value_name = "KID", requires = "private_key")]
    kid: Option<String>,

    /// The server's issuer, if it has another URL than the one that the request goes to
    #[arg(long, value_name = "URL", requires = "private_key")]
    issuer: Option<String>,
}

/// The printed part of a token response (RFC 6749 §5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: BearerCredential,
}

impl SignerArgs {
    /// A new assertion for the issuer that the caller names, which is never taken from an answer: another server could
    /// name it to get an assertion for it.
    fn assertion(&self, remote: &Remote) -> Result<Option<String>, CliError> {
        let (Some(path), Some(client)) = (&self.private_key, &self.client_id) else { return Ok(None) };
        let pem = key_file::read(path).map_err(UsageError::from)?;
        let (key, _) = pem::import(&pem).map_err(|fault| UsageError::input(path.display(), fault))?;
        let issuer = self.issuer.clone().unwrap_or_else(|| remote.client().base().to_string());
        let id = Entropy::system().identifier().map_err(CliError::failed)?;
        let new = NewAssertion {
            client: &client.to_string(),
            issuer: issuer.trim_end_matches('/'),
            id: &BASE64URL.encode(id),
            now: Clock::system().now(),
        };
        new.sign(&key, self.kid.as_deref()).map(Some).map_err(CliError::failed)
    }
}

impl TokenArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = match self.signer.private_key {
            Some(_) => self.remote.connect_without_key()?,
            None => self.remote.connect()?,
        };
        let assertion = self.signer.assertion(&remote)?;
        let key = remote.client().credential().map_or("", BearerCredential::expose);
        let scopes: Vec<String> = self.scopes.iter().map(ToString::to_string).collect();
        let scope = scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        match &assertion {
            Some(signed) => {
                form.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", signed)])
            }
            None => form.push(("client_secret", key)),
        }
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        form.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        // RFC 6749 §2.3: a request must not use more than one authentication method.
        let request = Request::post(&["oauth", "token"]).form(&form).anonymous();
        remote.ask_and_show(request, |granted: Granted| say(granted.access_token.expose())).await
    }
}
