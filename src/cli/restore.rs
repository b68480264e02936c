//! `claviger restore`.

mod report;

use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use super::backup::file;
use super::failure::{Failure, UsageError};
use super::output::say;
use super::serve::cannot_open;
use super::server_args::ServerArgs;
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::base::key_file;
use crate::base::master_key::MasterKey;
use crate::server::config::Config;
use crate::store::{Backup, ReplacedMasterKey, Restore, RestoreError, RestoreOptions};
use crate::use_cases::bootstrap::{BootstrapError, MasterKeySources, new_epoch};

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

    /// File with the master key of the backup, if the master key was replaced since
    #[arg(long, value_name = "FILE")]
    retired_master_key_file: Option<PathBuf>,

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
        let (file, json, retired) = (self.file, self.json, self.retired_master_key_file);
        let run = async |config: Config| restore(&file, options, retired.as_deref(), json, &config).await;
        self.server.load()?.run(run).await
    }
}

async fn restore(
    file: &Path,
    options: RestoreOptions,
    retired: Option<&Path>,
    json: bool,
    config: &Config,
) -> Result<(), CliError> {
    let backup = Backup::open(file).await.map_err(CliError::failed)?;
    let sources = config.master_key_sources().await.map_err(BootstrapError::from)?;
    let replaced_master_key = match retired {
        Some(file) => Some(replaced(file, &sources, &backup, config).await?),
        None => {
            sources.matching(&backup.master_key_check, "backup").map_err(BootstrapError::from)?;
            None
        }
    };
    let entropy = Entropy::system();
    let epoch = new_epoch(&entropy).map_err(CliError::failed)?;
    let clock = Clock::system();
    let restore = Restore {
        url: &config.database_url,
        options,
        epoch: &epoch,
        clock: &clock,
        entropy: &entropy,
        replaced_master_key,
    };
    let report = restore.run(backup).await.map_err(failed)?;
    Ok(say(&if json { report::in_json(&report, options) } else { report::in_words(&report, options) })?)
}

/// The backup's master key from its own file, and the one that the store has or will have.
async fn replaced(
    file: &Path,
    sources: &MasterKeySources,
    backup: &Backup,
    config: &Config,
) -> Result<ReplacedMasterKey, CliError> {
    let text = key_file::read(file).map_err(CliError::failed)?;
    let retired: MasterKey = text.parse().map_err(|error| UsageError::input(file.display(), error))?;
    if !retired.matches(&backup.master_key_check) {
        return Err(Failure::OtherMasterKey(file.to_owned()).into());
    }
    let store = Restore::master_key_check(&config.database_url).await.map_err(failed)?;
    let active = match store {
        Some(check) => sources.matching(&check, "store"),
        None => sources.at_hand(),
    };
    let active = active.map_err(BootstrapError::from)?.derived();
    Ok(ReplacedMasterKey { replaced: retired.derived(), active })
}

fn failed(error: RestoreError) -> CliError {
    match error {
        RestoreError::Open(error) => cannot_open(error),
        error => CliError::failed(error),
    }
}
