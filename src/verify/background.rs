//! The background tasks of a verifier.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::follow_feed::follow;
use super::issuer_keys::{IssuerKeys, REFRESHED_EVERY};
use super::shared::Shared;
use crate::base::clock::timer_now;

/// The longest pause between two attempts to read the issuer's keys.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often the age of the feed is checked.
const WATCHED_EVERY: Duration = Duration::from_secs(1);

/// The background tasks. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Background([AbortHandle; 3]);

impl Background {
    pub(super) fn begin(shared: &Arc<Shared>) -> Self {
        Self([
            tokio::spawn(refresh(Arc::clone(&shared.keys))).abort_handle(),
            tokio::spawn(follow(Arc::clone(shared))).abort_handle(),
            tokio::spawn(watch(Arc::clone(shared))).abort_handle(),
        ])
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Reads the issuer's keys regularly, and soon again after a failure.
async fn refresh(keys: Arc<IssuerKeys>) {
    let mut pause = Duration::from_secs(1);
    loop {
        match keys.refresh().await {
            Ok(()) => {
                pause = Duration::from_secs(1);
                sleep(REFRESHED_EVERY).await;
            }
            Err(fault) => {
                tracing::warn!("the keys of the issuer can't be read: {fault}");
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }
}

/// Logs when the issuer has not responded for too long, and when it responds again.
async fn watch(shared: Arc<Shared>) {
    let mut was_stale = false;
    loop {
        sleep(WATCHED_EVERY).await;
        let now = timer_now();
        let is_stale = shared.is_stale(now);
        if is_stale != was_stale {
            shared.log_staleness(is_stale, shared.age(now));
        }
        was_stale = is_stale;
    }
}
