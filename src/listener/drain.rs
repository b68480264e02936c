//! Shuts down without losing a request.

use std::pin::pin;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::accept::{AcceptedConnection, Acceptor};
use super::limits::Limits;
use crate::base::clock::timer_now;

/// How far the shutdown of a listener has progressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The listener serves.
    Open,
    /// Each answer is its connection's last, with `Connection: close`. A request that is on its way is still accepted.
    Draining,
    /// Idle connections close. The others close once they have answered.
    Closing,
    /// All connections are cut off.
    Aborting,
}

/// Serves the connections that the kernel has already accepted, and drains all. Returns how many connections had to be
/// cut off at the deadline.
///
/// An answer with `Connection: close` ends a connection (RFC 9112 §9.6), so a request that is on its way to an idle
/// connection finds it open. Only after [`Limits::drain_linger`] do idle connections close by themselves.
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
