//! `claviger completions`.

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
  claviger completions fish > ~/.config/fish/completions/claviger.fish")]
pub(super) struct CompletionsArgs {
    /// Shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self, mut command: Command) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "claviger", &mut script);
        Stream::Out.write(&script)?;
        Ok(())
    }
}
