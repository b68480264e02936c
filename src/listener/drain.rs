//! Ending without losing a request.

use std::pin::pin;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::accept::{AcceptedConnection, Acceptor};
use super::limits::Limits;
use crate::base::clock::timer_now;

/// How far a listener is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Serving.
    Open,
    /// Each answer is its connection's last, and says so; a request on its way is still welcome.
    Draining,
    /// Connections at rest close; the others do once they have answered.
    Closing,
    /// Everything is cut off.
    Aborting,
}

/// Serves the connections that the kernel has accepted already, and drains all. Returns how many connections
/// had to be cut off at the deadline.
///
/// What ends a connection is an answer with `Connection: close` (RFC 9112 §9.6), so that a request on its way
/// to a connection at rest meets an open one. Only after the linger does rest alone end a connection.
pub(super) async fn drain(
    acceptor: Acceptor,
    phase: &watch::Sender<Phase>,
    limits: &Limits,
    serve: impl FnMut(AcceptedConnection),
) -> usize {
    let signalled = timer_now();
    let slots = acceptor.slots().clone();
    phase.send_replace(Phase::Draining);

    let all_closed = async {
        acceptor.close(serve).await;
        slots.all_free().await;
    };
    if drained_in_time(all_closed, phase, limits, signalled).await {
        return 0;
    }
    let aborted = slots.taken();
    phase.send_replace(Phase::Aborting);
    aborted
}

async fn drained_in_time(
    all_closed: impl Future<Output = ()>,
    phase: &watch::Sender<Phase>,
    limits: &Limits,
    signalled: Instant,
) -> bool {
    let mut all_closed = pin!(all_closed);
    let linger = limits.drain_linger.min(limits.drain_deadline);
    if timeout_at(signalled + linger, &mut all_closed).await.is_ok() {
        return true;
    }
    phase.send_replace(Phase::Closing);
    timeout_at(signalled + limits.drain_deadline, all_closed).await.is_ok()
}
