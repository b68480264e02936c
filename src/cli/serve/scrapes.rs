//! The listener for metrics.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::wrong_setting;
use crate::cli::{CliError, logging};
use crate::listener::{Connections, Limits, ListenError, Listener, Report};
use crate::server::metrics::{Metrics, Sources, metrics_service};
use crate::use_cases::bootstrap::BootstrapContext;

/// Enough for several monitoring systems and probes at once. These connections don't count among the public ones.
const CONNECTIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(15);

/// How long the last scrape may take at the end.
const ENDED_WITHIN: Duration = Duration::from_millis(500);

/// The metrics, and the listener that serves them.
pub(super) struct Scrapes {
    pub(super) metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Report>,
}

impl Scrapes {
    /// Serves metrics at `address`, with the time limits of the public listener.
    pub(super) fn start(
        address: SocketAddr,
        limits: &Limits,
        public: Connections,
        context: &BootstrapContext,
    ) -> Result<Self, CliError> {
        let limits = Limits {
            connections: CONNECTIONS,
            drain_linger: Duration::ZERO,
            drain_deadline: ENDED_WITHIN,
            ..limits.clone()
        };
        let listener = Listener::bind(address, limits, None).map_err(not_listening)?;
        let issuer = &context.deployment.issuer;
        let metrics = Arc::new(Metrics::new(Sources {
            issuer: issuer.clone(),
            commit: option_env!("CLAVIGER_COMMIT"),
            clock: context.clock.clone(),
            store: context.store.clone(),
            connections: public,
            dropped_log_lines: logging::dropped_lines,
        }));
        let service = metrics_service(&metrics, issuer, &context.entropy).map_err(CliError::failed)?;
        tracing::info!(address = %listener.local_addr(), "serving metrics");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(listener.serve(service, async move { _ = stopped.await }));
        Ok(Self { metrics, stop, serving })
    }

    /// Answers the scrapes that have begun, and stops.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }
}

fn not_listening(error: ListenError) -> CliError {
    wrong_setting("CLAVIGER_METRICS_LISTEN", &error)
}
