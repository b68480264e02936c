//! Output with a time limit, so that an unread pipe can't block the server.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::say;

/// The time limit for one line.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

/// Prints a message of the server, which is in its log as well. The server continues if nobody reads it in time.
pub(in crate::cli) fn announce(text: &str) {
    let text = text.to_owned();
    within(TAKEN_WITHIN, move || {
        if let Err(error) = say(&text) {
            tracing::warn!(%error, "a line on standard output was lost");
        }
    });
}

/// Runs `work` on its own thread, and waits at most `limit` for its end.
pub(in crate::cli) fn within(limit: Duration, work: impl FnOnce() + Send + 'static) {
    let (done, end) = channel();
    // A thread of the runtime would block the runtime's shutdown.
    thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    let _ = end.recv_timeout(limit);
}
