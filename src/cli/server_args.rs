//! The settings of commands that are the server themselves.

use std::path::PathBuf;

use clap::Args;

use super::{CliError, logging};
use crate::config::{Config, Settings};

/// Flags over variables over a file.
#[derive(Debug, Args)]
#[command(after_help = "Every setting can also be a line of claviger.toml: listen = \"127.0.0.1:8080\".")]
pub(super) struct ServerArgs {
    /// File of settings [default: claviger.toml, where there is one]
    #[arg(long, env = "CLAVIGER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

impl ServerArgs {
    /// The settings from all layers, checked; and the log as they want it, started.
    pub(super) fn load(self) -> Result<Config, CliError> {
        let settings = self.settings.over(Settings::from_file(self.config.as_deref())?);
        logging::start(settings.log_format.unwrap_or_default(), settings.log.as_deref())?;
        Ok(Config::try_from(settings)?)
    }
}
