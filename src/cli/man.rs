//! `claviger man`.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use super::CliError;
use super::failure::Failure;
use super::output::{Stream, note};

/// Print the manual page, or write one page per command into a folder
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger man | man -l -
  claviger man --dir /usr/local/share/man/man1")]
pub(super) struct ManArgs {
    /// Folder for one page per command
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

impl ManArgs {
    pub(super) fn run(&self, command: Command) -> Result<(), CliError> {
        match &self.dir {
            None => print(command),
            Some(folder) => write_all(command, folder),
        }
    }
}

fn print(command: Command) -> Result<(), CliError> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page).map_err(CliError::failed)?;
    Stream::Out.write(&page)?;
    Ok(())
}

fn write_all(command: Command, folder: &Path) -> Result<(), CliError> {
    let failed = |why| Failure::File { path: folder.to_owned(), why };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    Ok(note(&format!("Written to {}.", folder.display()))?)
}
