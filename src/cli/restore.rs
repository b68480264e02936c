//! `claviger restore`.

mod report;

use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use super::backup::file;
use super::output::say;
use super::serve::cannot_open;
use super::server_args::ServerArgs;
use crate::bootstrap::{BootstrapError, MasterKeyPlace, new_epoch};
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::store::{Backup, Restore, RestoreError, RestoreOptions};

/// Restore a backup into an empty store, or in place of what a store holds
#[derive(Debug, Args)]
#[command(after_help = "\
A backup is the past: what was taken away since then would come back to life. With --replace, what the store has taken
away is carried over and listed. An empty store knows nothing of it: see what is printed.

An SQLite store has to be without a server meanwhile. Over PostgreSQL nodes may go on running.")]
pub(super) struct RestoreArgs {
    /// The backup
    #[arg(value_parser = file)]
    file: PathBuf,

    /// Put it in the place of what the store holds
    #[arg(long)]
    replace: bool,

    /// Bring back to life what the store has taken away since: revoked keys too
    #[arg(long, requires = "replace")]
    forget_revocations: bool,

    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Answer in JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl RestoreArgs {
    pub(super) fn server(&mut self) -> &mut ServerArgs {
        &mut self.server
    }

    pub(super) async fn run(self) -> Result<(), CliError> {
        let options = RestoreOptions {
            replace: self.replace,
            forget_revocations: self.forget_revocations,
            dry_run: self.dry_run,
        };
        let (file, json) = (self.file, self.json);
        self.server.load()?.run(async |config| restore(&file, options, json, &config).await).await
    }
}

async fn restore(file: &Path, options: RestoreOptions, json: bool, config: &Config) -> Result<(), CliError> {
    let backup = Backup::open(file).await.map_err(CliError::failed)?;
    let place = MasterKeyPlace::of_this_process(&config.keys_dir);
    place.matching(&backup.master_key_check, "backup").map_err(BootstrapError::from)?;
    let epoch = new_epoch(&Entropy::system()).map_err(CliError::failed)?;
    let clock = Clock::system();
    let restore = Restore { url: &config.database_url, options, epoch: &epoch, clock: &clock };
    let report = restore.run(backup).await.map_err(|error| match error {
        RestoreError::Open(error) => cannot_open(error),
        error => CliError::failed(error),
    })?;
    Ok(say(&if json { report::in_json(&report, options) } else { report::in_words(&report, options) })?)
}
