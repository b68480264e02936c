//! `claviger keys revoke`, `delete` and `retire-secret`.

use clap::Args;
use hyper::{Method, StatusCode};

use super::Keys;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::dry_run::DryRunArgs;
use crate::cli::force::ForceArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::output::Stream;
use crate::cli::view::Key;
use crate::client::Request;
use crate::domain::key::SecretId;

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// Reason, for the audit trail
    #[arg(long)]
    reason: Option<String>,

    #[command(flatten)]
    force: ForceArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    #[command(flatten)]
    force: ForceArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
pub(super) struct RetireSecretArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// The secret's id, from `claviger keys get`
    secret: SecretId,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

impl RevokeArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let key = self.key.to_string();
        let body = Body::new().with("reason", self.reason.as_ref());
        let request = Request::post(&keys.path(&[&key, "revoke"])).flag("force", self.force.force);
        let request = request.json(&body).map_err(CliError::failed)?;
        let do_it = format!("revoke {key} at once and for good");
        let Some(answer) = self.dry_run.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        keys.remote.show(&answer, |key: Key| key.sheet().print(Stream::Out))
    }
}

impl DeleteArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let key = self.key.to_string();
        let request = Request::new(Method::DELETE, &keys.path(&[&key]));
        let request = request.flag("force", self.force.force);
        if self.dry_run.send(keys.remote, request, &format!("delete {key}")).await?.is_none() {
            return Ok(());
        }
        Ok(keys.remote.remark(&format!("Deleted {key}."))?)
    }
}

impl RetireSecretArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let (key, secret) = (self.key.to_string(), self.secret.to_string());
        let request = Request::new(Method::DELETE, &keys.path(&[&key, "secrets", &secret]));
        let do_it = format!("retire {secret} of {key}");
        let Some(answer) = self.dry_run.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        keys.remote.remark(&format!("Retired {secret} of {key}."))?;
        if answer.status == StatusCode::OK {
            // The response contains the key only if the remaining secret no longer expires.
            keys.remote.remark("This undoes the rotation: the older secret no longer expires.")?;
            keys.remote.show(&answer, |key: Key| key.sheet().print(Stream::Out))?;
        }
        Ok(())
    }
}
