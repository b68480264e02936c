//! `claviger keys disable` and `enable`.

use clap::Args;

use super::Keys;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::force::ForceArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::patch::PatchArgs;
use crate::cli::view::Key;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger keys disable key_wgIfG8DxmYsdKIm5
  claviger keys enable key_wgIfG8DxmYsdKIm5

Tokens of the key become invalid at once, and stay invalid when the key is enabled again. The key keeps its secrets and settings.")]
pub(super) struct DisableArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    #[command(flatten)]
    patch: PatchArgs,

    #[command(flatten)]
    force: ForceArgs,
}

#[derive(Debug, Args)]
pub(super) struct EnableArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    #[command(flatten)]
    patch: PatchArgs,
}

impl DisableArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        set_disabled(keys, self.key, true, &self.patch, self.force.force).await
    }
}

impl EnableArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        set_disabled(keys, self.key, false, &self.patch, false).await
    }
}

async fn set_disabled(
    keys: &Keys<'_>,
    key: KeyArgument,
    disabled: bool,
    patch: &PatchArgs,
    force: bool,
) -> Result<(), CliError> {
    let key = key.to_string();
    let body = Body::new().with("disabled", Some(disabled));
    patch.send(keys.remote, &keys.path(&[&key]), &body, force, |key: Key| key.sheet()).await
}
