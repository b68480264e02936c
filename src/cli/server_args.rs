//! The settings of commands that run or open a server's store.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{CliError, logging, misspelled};
use crate::server::config::{Config, DEFAULT_FILE, Origins, Settings};

/// The layers of settings: flags override variables, which override the file.
#[derive(Debug, Args)]
#[command(
    after_help = "Every setting can also be a line in claviger.toml, such as listen = \"127.0.0.1:8080\"."
)]
pub(super) struct ServerArgs {
    /// Settings file [default: claviger.toml, if it exists]
    #[arg(long, env = "CLAVIGER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,

    /// The names of the settings that are flags.
    #[arg(skip)]
    pub(super) flags: Vec<String>,
}

/// Checked settings and their sources.
pub(super) struct Loaded {
    pub(super) config: Config,
    origins: Origins,
}

impl ServerArgs {
    /// Merges and checks the settings of all layers, and starts the log.
    pub(super) fn load(self) -> Result<Loaded, CliError> {
        let path = self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        let file = Settings::from_file(self.config.as_deref())?;
        let origins = Origins::new(self.flags, &self.settings, (path, &file));
        let settings = self.settings.over(file);
        let started = logging::start(settings.log_format.unwrap_or_default(), settings.log.as_deref());
        started.map_err(|error| error.located(&origins))?;
        misspelled::warn();
        let config = Config::try_from(settings).map_err(|error| origins.locate(error))?;
        Ok(Loaded { config, origins })
    }
}

impl Loaded {
    /// Runs a command. Its errors about settings name their sources.
    pub(super) async fn run<F: Future<Output = Result<(), CliError>>>(
        self,
        command: impl FnOnce(Config) -> F,
    ) -> Result<(), CliError> {
        let Self { config, origins } = self;
        command(config).await.map_err(|error| error.located(&origins))
    }
}
