//! `claviger completions`.

mod scopes;
mod script;

use clap::{Args, Command};
use clap_complete::Shell;

use super::CliError;
use super::output::Stream;

/// Print shell completions
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger completions bash > ~/.local/share/bash-completion/completions/claviger
  claviger completions zsh > ~/.zfunc/_claviger
  claviger completions fish > ~/.config/fish/completions/claviger.fish

In bash, zsh and fish, options that take a scope are completed from the catalogue of the server that the command line names.")]
pub(super) struct CompletionsArgs {
    /// Shell
    #[arg(required_unless_present = "scopes")]
    shell: Option<Shell>,

    /// Print the scopes of the catalogue, as the scripts need them. The words of a command line follow --
    #[arg(long, hide = true, conflicts_with = "shell")]
    scopes: bool,

    /// Words of a command line
    #[arg(last = true, hide = true, requires = "scopes")]
    words: Vec<String>,
}

impl CompletionsArgs {
    pub(super) async fn run(self, command: Command) -> Result<(), CliError> {
        match self.shell {
            Some(shell) => Stream::Out.write(script::of(shell, command).as_bytes()).map(drop)?,
            // Whoever presses a key waits for this, and an error would stand in the middle of their line.
            None => {
                if let Some(lines) = scopes::lines(&self.words).await {
                    let _ = Stream::Out.write(lines.as_bytes());
                }
            }
        }
        Ok(())
    }
}
