//! SIGHUP: reads again what can change in a running server.

use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::CliError;
use crate::cli::server_args::LogFilter;
use crate::listener::RenewedCertificate;

/// At each SIGHUP, reads the certificate and the log's filter again. The certificate is there once the listener is. A
/// SIGHUP never stops the server, so neither does a terminal that closes.
pub(super) fn follow(mut filter: LogFilter) -> Result<Arc<OnceLock<Arc<RenewedCertificate>>>, CliError> {
    let mut hangups = signal(SignalKind::hangup()).map_err(CliError::failed)?;
    let certificate = Arc::new(OnceLock::<Arc<RenewedCertificate>>::new());
    let present = Arc::clone(&certificate);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            tracing::info!(
                "SIGHUP: the certificate and the log filter are read again; other settings apply at the next start"
            );
            filter.read_again();
            if let Some(certificate) = present.get() {
                certificate.renew_now();
            }
        }
    });
    Ok(certificate)
}
