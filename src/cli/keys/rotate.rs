//! `claviger keys rotate`.

use clap::Args;

use super::Keys;
use super::new_secret::show;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::dry_run::DryRunArgs;
use crate::cli::idempotency::IdempotencyArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::remote::read;
use crate::cli::view::Key;
use crate::cli::when::Span;
use crate::client::Request;

#[derive(Debug, Args)]
#[command(after_long_help = "\
The last line on standard output is the new key. Everything else goes to standard error:
  NEW=$(claviger keys rotate key_wgIfG8DxmYsdKIm5 --overlap 24h)

Both secrets work until the overlap ends. An overlap of 0 invalidates the old secret and the key's tokens at once.")]
pub(super) struct RotateArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// How long the old secret keeps working: 0, 24h, 7d, at most 30d
    #[arg(long, value_name = "SPAN")]
    overlap: Span,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

impl RotateArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let key = self.key.to_string();
        let body = Body::new().with("overlap_seconds", Some(self.overlap.seconds()));
        let request = self.idempotency.on(Request::post(&keys.path(&[&key, "rotate"])));
        let request = request.json(&body).map_err(CliError::failed)?;
        let do_it = match self.overlap.seconds() {
            0 => format!("give {key} a new secret, and invalidate its current secrets at once"),
            seconds => format!("give {key} a new secret, and expire the old one in {seconds} s"),
        };
        let Some(answer) = self.dry_run.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        let left: Key = read(&answer)?;
        let remark = left.has_public_keys().then_some(
            "\nThe key's public keys keep working. If a private key has leaked, remove its public key as well \
             (`claviger keys remove-public-key`).",
        );
        show(keys.remote, &answer, remark)
    }
}
