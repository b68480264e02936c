//! `claviger keys add-public-key` and `remove-public-key`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::Keys;
use crate::cli::CliError;
use crate::cli::dry_run::DryRunArgs;
use crate::cli::failure::UsageError;
use crate::cli::force::ForceArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::output::Stream;
use crate::cli::view::PublicKey;
use crate::client::Request;
use crate::domain::key::PublicKeyId;
use crate::jose::foreign::{Algorithm, Jwk, import_public};

/// The most bytes of a file with a public key.
const MOST: u64 = 64 * 1024;

/// How a public key in PEM is to be used. A JWK says it itself.
#[derive(Debug, Args)]
pub(super) struct PublicKeyArgs {
    /// Algorithm of an RSA key in PEM: PS256 or RS256
    #[arg(long, value_name = "ALG")]
    alg: Option<Algorithm>,

    /// Id of a key in PEM, which assertions name in their header [default: the key's thumbprint]
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Make a private key, keep it, and register its public half:
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.pem
  openssl pkey -in client.pem -pubout | claviger keys add-public-key key_wgIfG8DxmYsdKIm5 -

Whoever holds client.pem can then get tokens for the key with signed assertions (private_key_jwt), without the key's secret:
  claviger token --client-id key_wgIfG8DxmYsdKIm5 --private-key client.pem")]
pub(super) struct AddPublicKeyArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// File with a public key as PEM or JWK, or - for standard input
    file: PathBuf,

    #[command(flatten)]
    public_key: PublicKeyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
pub(super) struct RemovePublicKeyArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// The public key's id, from `claviger keys get`
    public_key: PublicKeyId,

    #[command(flatten)]
    force: ForceArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

impl PublicKeyArgs {
    /// Reads a public key as the server takes it. A private key is refused here, and never sent.
    ///
    /// # Errors
    /// [`UsageError::Input`].
    pub(super) fn read(&self, path: &Path) -> Result<Value, CliError> {
        let (place, text) = if path == Path::new("-") {
            let mut text = String::new();
            let read = std::io::stdin().lock().take(MOST).read_to_string(&mut text);
            ("standard input".to_owned(), read.map(|_| text))
        } else {
            (path.display().to_string(), std::fs::read_to_string(path))
        };
        let text = text.map_err(|error| UsageError::input(&place, error))?;
        let jwk = self.parse(text.trim_start()).map_err(|why| UsageError::input(&place, why))?;
        Ok(json!({ "jwk": jwk }))
    }

    fn parse(&self, text: &str) -> Result<Jwk, String> {
        if !text.starts_with('{') {
            return import_public(text, self.alg, self.kid.clone()).map_err(|fault| fault.to_string());
        }
        if self.alg.is_some() || self.kid.is_some() {
            return Err("--alg and --kid are for PEM; a JWK has its own alg and kid".into());
        }
        Jwk::parse(text.as_bytes()).map_err(|fault| fault.to_string())
    }
}

impl AddPublicKeyArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let key = self.key.to_string();
        let body = self.public_key.read(&self.file)?;
        let request =
            Request::post(&keys.path(&[&key, "public-keys"])).json(&body).map_err(CliError::failed)?;
        let do_it = format!("let the holder of this private key act as {key}");
        let Some(answer) = self.dry_run.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        keys.remote.show(&answer, |public_key: PublicKey| public_key.sheet().print(Stream::Out))
    }
}

impl RemovePublicKeyArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let (key, public_key) = (self.key.to_string(), self.public_key.to_string());
        let request = Request::new(Method::DELETE, &keys.path(&[&key, "public-keys", &public_key]));
        let request = request.flag("force", self.force.force);
        let do_it = format!("remove {public_key} of {key}, and invalidate the key's tokens");
        if self.dry_run.send(keys.remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(keys
            .remote
            .remark(&format!("Removed {public_key} of {key}. The key's earlier tokens are invalid."))?)
    }
}
