//! Time limits with one timer for each connection, and none for a request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::activity::{Activity, Stage};
use super::drain::Phase;
use super::limits::Limits;
use crate::base::clock::timer_now;

/// How long a peer may take to close its side after the last answer.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);

/// Detects a connection that stays in one stage for longer than the limits allow.
///
/// It checks whenever the connection's task runs anyway. The timer only ensures that the task runs when a limit is
/// reached. So the timer is advanced when it fires, not at every change of stage.
#[derive(Debug)]
pub(super) struct Watchdog<'a> {
    limits: &'a Limits,
    activity: &'a Activity,
    /// The stage at the last check, with its progress.
    last: (Stage, u32),
    /// When the last check saw this for the first time.
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<'a> Watchdog<'a> {
    pub(super) fn new(limits: &'a Limits, activity: &'a Activity) -> Self {
        let timer = Box::pin(sleep(limits.header_timeout));
        Self { limits, activity, last: activity.stage(), since: timer_now(), timer }
    }

    /// Restarts the time of the current stage.
    pub(super) fn restart(&mut self) {
        self.since = timer_now();
    }

    /// Completes with the stage in which the connection has been for too long.
    pub(super) async fn overdue(&mut self, phase: Phase) -> Stage {
        std::future::poll_fn(|cx| self.poll_overdue(cx, phase)).await
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>, phase: Phase) -> Poll<Stage> {
        let current = self.activity.stage();
        if current != self.last {
            self.last = current;
            self.since = timer_now();
        }
        let (stage, _) = current;
        let Some(due) = self.limit(stage, phase).and_then(|limit| self.since.checked_add(limit)) else {
            return Poll::Pending;
        };
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if due <= self.timer.deadline() {
                return Poll::Ready(stage);
            }
            self.timer.as_mut().reset(due);
        }
    }

    fn limit(&self, stage: Stage, phase: Phase) -> Option<Duration> {
        match stage {
            _ if phase == Phase::Aborting => Some(Duration::ZERO),
            Stage::Fresh | Stage::Idle if phase == Phase::Closing => Some(Duration::ZERO),
            Stage::Fresh | Stage::Head => Some(self.limits.header_timeout),
            Stage::Idle => Some(self.limits.keep_alive),
            Stage::Working => None,
            Stage::Answering | Stage::Stalled => Some(self.limits.write_timeout),
            Stage::Closing => Some(CLOSING_TIMEOUT),
        }
    }
}
