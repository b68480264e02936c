//! The log: on standard error, for people or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::CliError;
use crate::config::{ConfigError, LogFormat};

/// What is too loud at any level that anybody would set for the whole: statements with their values.
const QUIET: &str = "sqlx=warn";

/// Starts the log.
pub(super) fn start(format: LogFormat, filter: Option<&str>) -> Result<(), CliError> {
    let wrong = |why: String| ConfigError::Setting { setting: "CLAVIGER_LOG", why };
    let directives = format!("{QUIET},{}", filter.unwrap_or("info"));
    let filter = EnvFilter::try_new(directives).map_err(|error| wrong(error.to_string()))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Human => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
    started.map_err(|error| CliError::Failed(format!("the log does not start: {error}")))
}
