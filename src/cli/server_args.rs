//! The settings of commands that run or open a server's store.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{CliError, logging, misspelled};
use crate::server::config::{Config, ConfigError, DEFAULT_FILE, Origins, Settings};

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
    log_filter: LogFilter,
    origins: Origins,
}

/// Where the filter of the log comes from. A running server can read the file again, and nothing else.
#[derive(Clone)]
pub(super) struct LogFilter {
    /// The settings file, if one is named.
    named: Option<PathBuf>,
    /// The flag or the variable that overrides the file.
    fixed_by: Option<String>,
    /// The filter in use.
    current: String,
}

impl ServerArgs {
    /// Merges and checks the settings of all layers, and starts the log.
    pub(super) fn load(self) -> Result<Loaded, CliError> {
        let path = self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        let file = Settings::from_file(self.config.as_deref())?;
        let origins = Origins::new(self.flags, &self.settings, (path, &file));
        let fixed_by = self.settings.log.as_ref().map(|_| origins.written("CLAVIGER_LOG"));
        let settings = self.settings.over(file);
        let current = settings.log.clone().unwrap_or_else(|| logging::DEFAULT_FILTER.into());
        let log_filter = LogFilter { named: self.config, fixed_by, current };
        let started = logging::start(settings.log_format.unwrap_or_default(), settings.log.as_deref());
        started.map_err(|error| error.located(&origins))?;
        misspelled::warn();
        let config = Config::try_from(settings).map_err(|error| origins.locate(error))?;
        Ok(Loaded { config, log_filter, origins })
    }
}

/// The settings as they are, valid or not.
pub(super) struct Examined {
    pub(super) settings: Settings,
    pub(super) origins: Origins,
    /// What is wrong with the settings file, or else with the settings.
    pub(super) config: Result<Config, ConfigError>,
}

impl ServerArgs {
    /// Merges and checks the settings of all layers, and starts no log.
    pub(super) fn examine(self) -> Examined {
        let path = self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        let (file, fault) = match Settings::from_file(self.config.as_deref()) {
            Ok(file) => (file, None),
            Err(fault) => (Settings::default(), Some(fault)),
        };
        let origins = Origins::new(self.flags, &self.settings, (path, &file));
        let settings = self.settings.over(file);
        let checked = Config::try_from(settings.clone()).map_err(|error| origins.locate(error));
        let config = fault.map_or(checked, Err);
        Examined { settings, origins, config }
    }
}

impl Loaded {
    /// Where the log's filter comes from.
    pub(super) fn log_filter(&self) -> LogFilter {
        self.log_filter.clone()
    }

    /// Runs a command. Its errors about settings name their sources.
    pub(super) async fn run<F: Future<Output = Result<(), CliError>>>(
        self,
        command: impl FnOnce(Config) -> F,
    ) -> Result<(), CliError> {
        let Self { config, origins, .. } = self;
        command(config).await.map_err(|error| error.located(&origins))
    }
}

impl LogFilter {
    /// Reads the filter from the settings file again, and applies it. The log says what came of it.
    pub(super) fn read_again(&mut self) {
        if let Some(fixed_by) = &self.fixed_by {
            let filter = &self.current;
            return tracing::info!(filter, "the log filter stays: {fixed_by} overrides the settings file");
        }
        let filter = match Settings::from_file(self.named.as_deref()) {
            Ok(settings) => settings.log.unwrap_or_else(|| logging::DEFAULT_FILTER.into()),
            Err(error) => {
                return tracing::warn!(%error, "the log filter stays: the settings file cannot be used");
            }
        };
        if filter == self.current {
            return tracing::info!(filter, "the log filter is the same as before");
        }
        // Whichever of the two filters admits the line lets it through.
        let is_admitted = tracing::enabled!(tracing::Level::INFO);
        let say = || tracing::info!(filter, before = self.current, "log filter replaced");
        if is_admitted && logging::is_filter(&filter) {
            say();
        }
        match logging::set_filter(&filter) {
            Ok(()) if !is_admitted => say(),
            Ok(()) => {}
            Err(error) => {
                return tracing::warn!(error, "the log filter stays: the new one cannot be used");
            }
        }
        self.current = filter;
    }
}
