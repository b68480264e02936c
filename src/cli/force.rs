//! Insisting.

use clap::Args;

/// Whether to insist.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ForceArgs {
    /// Allow the change even if it locks out all administrators
    #[arg(long)]
    pub(super) force: bool,
}
