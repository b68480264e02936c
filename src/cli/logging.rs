//! The log: on standard error, for people or as JSON.

use std::io::{self, IsTerminal as _};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use super::CliError;
use crate::config::{ConfigError, LogFormat, Origin};

/// Starts the log.
pub(super) fn start(format: LogFormat, filter: Option<&str>) -> Result<(), CliError> {
    let wrong = |why: String| ConfigError::Setting { setting: "CLAVIGER_LOG", origin: Origin::Variable, why };
    let filter = EnvFilter::try_new(filter.unwrap_or("info")).map_err(|error| wrong(error.to_string()))?;
    let log = tracing_subscriber::registry().with(filter).with(filter_fn(may_be_said));
    let lines = fmt::layer().with_writer(io::stderr);
    let started = match format {
        LogFormat::Human => log.with(lines.with_ansi(io::stderr().is_terminal())).try_init(),
        LogFormat::Json => log
            .with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false))
            .try_init(),
    };
    started.map_err(|error| CliError::Failed(format!("the log does not start: {error}")))
}

/// Whatever the filter asks for: of sqlx no statements, not even slow ones, and of a database URL's parameters
/// that it does not know nothing at all, since one of them may be a mistyped password.
fn may_be_said(what: &Metadata<'_>) -> bool {
    let most = match what.target() {
        target if target.starts_with("sqlx::query") => Level::ERROR,
        target if target.starts_with("sqlx_postgres::options") => Level::ERROR,
        target if target.starts_with("sqlx") => Level::WARN,
        _ => Level::TRACE,
    };
    *what.level() <= most
}
