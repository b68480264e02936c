//! `claviger backup`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::CliError;
use super::output::say;
use super::serve::cannot_open;
use super::server_args::ServerArgs;
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::server::config::Config;
use crate::store::{BackupError, BackupFacts, back_up};

/// Back up the store into one file, while the server keeps running
#[derive(Debug, Args)]
#[command(after_help = "\
The file has the same format for SQLite and PostgreSQL, and can be restored into either. It does not contain the master
key. Back that up separately, because the backup is useless without it.")]
pub(super) struct BackupArgs {
    /// File to write; it must not exist yet
    #[arg(value_parser = file)]
    file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// A path. A stream is refused, because the backup is read back and renamed when it is complete.
pub(super) fn file(text: &str) -> Result<PathBuf, &'static str> {
    match text {
        "-" => Err("a backup must be a file, not a stream"),
        path => Ok(path.into()),
    }
}

impl BackupArgs {
    pub(super) fn server(&mut self) -> &mut ServerArgs {
        &mut self.server
    }

    pub(super) async fn run(self) -> Result<(), CliError> {
        let Self { file, json, server } = self;
        let back_up = async |config: Config| {
            let now = Clock::system().now();
            let backed_up = back_up(&config.database_url, &file, now, &Entropy::system()).await;
            let facts = backed_up.map_err(|error| match error {
                BackupError::Open(error) => cannot_open(error),
                error => CliError::failed(error),
            })?;
            Ok(say(&if json { in_json(&file, &facts) } else { in_words(&file, &facts) })?)
        };
        server.load()?.run(back_up).await
    }
}

fn in_json(file: &Path, facts: &BackupFacts) -> String {
    json!({
        "file": file.to_string_lossy(),
        "made_at": facts.made_at.rfc3339(),
        "epoch": facts.epoch,
        "last_change": facts.last_change,
        "active_keys": facts.active_keys,
    })
    .to_string()
}

fn in_words(file: &Path, facts: &BackupFacts) -> String {
    format!(
        "Backed up to {}: the store as of {}, up to change {}. Active API keys: {}.\n\
         The backup does not contain the master key, and is useless without it. Back that up separately.",
        file.display(),
        facts.made_at.rfc3339(),
        facts.last_change,
        facts.active_keys,
    )
}
