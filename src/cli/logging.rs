//! The log: on standard error, for people or as JSON.
//!
//! Standard error may be a pipe that nobody reads. So a thread of its own writes the lines; when it can't keep up, lines
//! are dropped and counted, and nobody who logs ever waits.

use std::io::{self, IsTerminal as _};
use std::panic;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use super::CliError;
use super::output::within;
use crate::base::lock::Mutex;
use crate::server::config::{ConfigError, LogFormat, Origin};

/// Lines that wait to be written. A line is some 300 bytes.
const WAITING_LINES: usize = 8_192;

/// How often dropped lines are reported.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How long the end of the process waits for the last lines. The guard itself gives up a little sooner.
const LAST_LINES_WITHIN: Duration = Duration::from_millis(1_500);

/// The thread that writes. The log belongs to the process, and so does this.
static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

struct Writer {
    dropped: ErrorCounter,
    /// Flushes what waits when it is dropped.
    guard: WorkerGuard,
}

/// Starts the log. Until [`finish`] nothing that logs, panics included, blocks.
pub(super) fn start(format: LogFormat, filter: Option<&str>) -> Result<(), CliError> {
    let wrong = |why: String| ConfigError::Setting { setting: "CLAVIGER_LOG", origin: Origin::Variable, why };
    let filter = EnvFilter::try_new(filter.unwrap_or("info")).map_err(|error| wrong(error.to_string()))?;
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
    started.map_err(|error| CliError::Failed(format!("the log does not start: {error}")))?;
    // The default hook writes to standard error itself, and would block there.
    panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a task panicked")));
    *WRITER.lock() = Some(Writer { dropped, guard });
    Ok(())
}

/// Logs, once a second, how many lines were dropped since the last report that was not dropped itself.
pub(super) async fn report_dropped_lines() {
    let total = || {
        let writer = WRITER.lock();
        writer.as_ref().map_or(0, |writer| writer.dropped.dropped_lines())
    };
    let mut reported = 0;
    loop {
        tokio::time::sleep(REPORT_EVERY).await;
        let dropped = total();
        if dropped == reported {
            continue;
        }
        tracing::warn!(
            lines = dropped - reported,
            "log lines were dropped: nothing reads the log fast enough"
        );
        // Another line more means that the report had no room either.
        if total() == dropped {
            reported = dropped;
        }
    }
}

/// Writes what waits, as far as somebody reads it. What is logged later is dropped.
pub(super) fn finish() {
    let writer = WRITER.lock().take();
    // On a thread of its own: a guard that gives up says so on standard output, which may be the same full pipe.
    within(LAST_LINES_WITHIN, move || drop(writer.map(|writer| writer.guard)));
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
