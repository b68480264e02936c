//! Output that the server does not wait for longer than it can afford: whoever holds the other end of a pipe may not
//! read it.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::say;

/// How long the server waits for somebody to take a line.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

/// Prints what a server says of itself, which its log has, too: it goes on serving if nobody takes the line in time.
pub(in crate::cli) fn announce(text: &str) {
    let text = text.to_owned();
    within(TAKEN_WITHIN, move || {
        if let Err(error) = say(&text) {
            tracing::warn!(%error, "a line on standard output is lost");
        }
    });
}

/// Runs `work` on a thread of its own, and waits for its end for `limit` at most.
pub(in crate::cli) fn within(limit: Duration, work: impl FnOnce() + Send + 'static) {
    let (done, end) = channel();
    // Not one of the runtime's threads: its end would wait for them.
    thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    let _ = end.recv_timeout(limit);
}
