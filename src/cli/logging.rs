//! Writes the log to standard error, for people or as JSON.
//!
//! Standard error may be a pipe that nobody reads, so a separate thread writes the lines. When it can't keep up, lines
//! are dropped and counted. Code that logs never blocks.

use std::io::{self, IsTerminal as _};
use std::panic;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use super::CliError;
use super::failure::Failure;
use super::output::within;
use crate::base::lock::Mutex;
use crate::server::config::{ConfigError, LogFormat, Origin};

/// The maximum number of buffered lines. A line has about 300 bytes.
const WAITING_LINES: usize = 8_192;

/// The interval between reports of dropped lines.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How long the process waits at its end for the last lines. The guard itself gives up slightly sooner.
const LAST_LINES_WITHIN: Duration = Duration::from_millis(1_500);

/// The writing thread. It is global because the log is.
static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

/// Replaces the filter of the log.
static FILTER: Mutex<Option<reload::Handle<EnvFilter, Registry>>> = Mutex::new(None);

/// The filter when none is set.
pub(super) const DEFAULT_FILTER: &str = "info";

struct Writer {
    dropped: ErrorCounter,
    /// Flushes buffered lines when dropped.
    guard: WorkerGuard,
}

/// Starts the log. Until [`finish`], logging never blocks, not even in a panic.
pub(super) fn start(format: LogFormat, filter: Option<&str>) -> Result<(), CliError> {
    let wrong = |why: String| ConfigError::Setting { setting: "CLAVIGER_LOG", origin: Origin::Variable, why };
    let filter = parse(filter.unwrap_or(DEFAULT_FILTER)).map_err(wrong)?;
    let (filter, handle) = reload::Layer::new(filter);
    let log = tracing_subscriber::registry().with(filter).with(filter_fn(may_be_said));
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES);
    let (writer, guard) = builder.thread_name("log").finish(io::stderr());
    let dropped = writer.error_counter();
    let lines = fmt::layer().with_writer(writer);
    let started = match format {
        LogFormat::Human => log.with(lines.with_ansi(io::stderr().is_terminal())).try_init(),
        LogFormat::Json => log
            .with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false))
            .try_init(),
    };
    started.map_err(|error| Failure::Log(error.to_string()))?;
    // The default hook writes to standard error directly and could block.
    panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a task panicked")));
    *FILTER.lock() = Some(handle);
    *WRITER.lock() = Some(Writer { dropped, guard });
    Ok(())
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(filter).map_err(|error| error.to_string())
}

/// Whether the text is a filter.
pub(super) fn is_filter(filter: &str) -> bool {
    parse(filter).is_ok()
}

/// Replaces the filter of the running log.
///
/// # Errors
/// When the text is not a filter. The present one then stays.
pub(super) fn set_filter(filter: &str) -> Result<(), String> {
    let filter = parse(filter)?;
    let handle = FILTER.lock();
    handle.as_ref().map_or(Ok(()), |handle| handle.reload(filter).map_err(|error| error.to_string()))
}

/// The lines that were dropped since the log was started.
pub(super) fn dropped_lines() -> u64 {
    WRITER.lock().as_ref().map_or(0, |writer| writer.dropped.dropped_lines() as u64)
}

/// Logs once a second how many lines were dropped since the last report that got through.
pub(super) async fn report_dropped_lines() {
    let mut reported = 0;
    loop {
        tokio::time::sleep(REPORT_EVERY).await;
        let dropped = dropped_lines();
        if dropped == reported {
            continue;
        }
        tracing::warn!(
            lines = dropped - reported,
            "log lines were dropped: nothing reads the log fast enough"
        );
        // A higher total means that the report itself was dropped.
        if dropped_lines() == dropped {
            reported = dropped;
        }
    }
}

/// Flushes buffered lines, as far as somebody reads them. Later lines are dropped.
pub(super) fn finish() {
    let writer = WRITER.lock().take();
    // This needs its own thread: a guard that gives up writes to standard output, which may be the same full pipe.
    within(LAST_LINES_WITHIN, move || drop(writer.map(|writer| writer.guard)));
}

/// Applies whatever the filter says: sqlx never logs statements, not even slow ones, nor unknown parameters of a
/// database URL, since one of them may be a mistyped password.
fn may_be_said(what: &Metadata<'_>) -> bool {
    let most = match what.target() {
        target if target.starts_with("sqlx::query") => Level::ERROR,
        target if target.starts_with("sqlx_postgres::options") => Level::ERROR,
        target if target.starts_with("sqlx") => Level::WARN,
        _ => Level::TRACE,
    };
    *what.level() <= most
}
