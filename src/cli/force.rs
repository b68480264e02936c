//! The flag `--force`.

use clap::Args;

/// The option to allow a change that locks out all administrators.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ForceArgs {
    /// Allow the change even if it locks out all administrators
    #[arg(long)]
    pub(super) force: bool,
}
