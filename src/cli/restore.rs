//! `claviger restore`.

mod report;

use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use super::backup::file;
use super::output::say;
use super::serve::cannot_open;
use super::server_args::ServerArgs;
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::server::config::Config;
use crate::store::{Backup, Restore, RestoreError, RestoreOptions};
use crate::use_cases::bootstrap::{BootstrapError, MasterKeyPlace, new_epoch};

/// Restore a backup into an empty store, or replace a store's contents
#[derive(Debug, Args)]
#[command(after_help = "\
A restore can make keys valid again that were revoked after the backup. With --replace, the command carries over what the
current store has revoked, and lists it. An empty store has no such information: follow the instructions in the output.

With SQLite, stop the server first. With PostgreSQL, nodes can keep running.")]
pub(super) struct RestoreArgs {
    /// The backup file
    #[arg(value_parser = file)]
    file: PathBuf,

    /// Replace the store's contents
    #[arg(long)]
    replace: bool,

    /// Also restore what the store has revoked or removed since, including revoked keys
    #[arg(long, requires = "replace")]
    forget_revocations: bool,

    /// Show what would happen, without changing anything
    #[arg(long)]
    dry_run: bool,

    /// Print JSON
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
    let place = MasterKeyPlace::of_this_process(&config.keys_dir, config.key_readers);
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
