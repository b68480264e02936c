//! Dry runs of what makes or ends something.

use clap::Args;
use serde::Deserialize;

use super::CliError;
use super::output::say;
use super::remote::Remote;
use crate::client::{Answer, Request};

/// Whether only to try.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct RehearsalArgs {
    /// Check everything at the server, without changing anything
    #[arg(long)]
    dry_run: bool,
}

/// What the server answers to a dry run.
#[derive(Deserialize)]
struct Rehearsed {
    dry_run: bool,
}

impl RehearsalArgs {
    /// Sends a request that is to `do_it`, and returns its answer; of a dry run, says that it would be done, and returns
    /// nothing.
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
        remote.show(&answer, |Rehearsed { dry_run }| match dry_run {
            true => say(&format!("This would {do_it}. Nothing was changed.")),
            false => Ok(()),
        })?;
        Ok(None)
    }
}
