//! Dry runs of commands that create or end something.

use clap::Args;
use serde::Deserialize;

use super::CliError;
use super::output::say;
use super::remote::Remote;
use crate::client::{Answer, Request};

/// The option for a dry run.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct DryRunArgs {
    /// Check everything at the server, without changing anything
    #[arg(long)]
    dry_run: bool,
}

/// The server's response to a dry run.
#[derive(Deserialize)]
struct DryRunResult {
    dry_run: bool,
}

impl DryRunArgs {
    /// Sends a request and returns its response. `do_it` describes the action. For a dry run, prints that the action
    /// would succeed, and returns `None`.
    pub(super) async fn send(
        self,
        remote: &Remote,
        request: Request,
        do_it: &str,
    ) -> Result<Option<Answer>, CliError> {
        let answer = remote.ask(request.flag("dry_run", self.dry_run)).await?;
        if !self.dry_run {
            return Ok(Some(answer));
        }
        remote.show(&answer, |DryRunResult { dry_run }| match dry_run {
            true => say(&format!("This would {do_it}. Nothing was changed.")),
            false => Ok(()),
        })?;
        Ok(None)
    }
}
