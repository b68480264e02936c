//! Insisting.

use clap::Args;

/// Whether to insist.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ForceArgs {
    /// Even if nobody is left who can make keys
    #[arg(long)]
    pub(super) force: bool,
}
