//! Asks for confirmation before an irreversible action.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;

use super::CliError;
use super::failure::{Failure, UsageError};
use super::output::Stream;

/// The option to skip the question.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ConfirmArgs {
    /// Do not ask for confirmation; required without a terminal
    #[arg(long, short = 'y')]
    yes: bool,
}

impl ConfirmArgs {
    /// Asks for confirmation, unless `--yes` is given.
    ///
    /// # Errors
    /// [`CliError`] when the answer is no, or there is no terminal.
    pub(super) fn confirm(self, question: &str) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !Stream::Err.is_terminal() {
            return Err(UsageError::NoTerminal.into());
        }
        Stream::Err.write(format!("{question} [y/N] ").as_bytes())?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(CliError::failed)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::NotConfirmed.into()),
        }
    }
}
