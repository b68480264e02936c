//! How busy a listener is.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::tls::RenewedCertificate;
use crate::base::clock::Timestamp;

/// The connections of a listener, and its certificate. Clones show the same listener.
#[derive(Clone, Debug)]
pub struct Connections {
    pub(super) counts: Arc<Counts>,
    limit: NonZeroU32,
    certificate: Option<Arc<RenewedCertificate>>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    open: AtomicUsize,
    accepted: AtomicU64,
}

/// A connection that counts as open until this is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(Arc<Counts>);

impl Connections {
    pub(super) fn new(limit: NonZeroU32, certificate: Option<Arc<RenewedCertificate>>) -> Self {
        Self { counts: Arc::default(), limit, certificate }
    }

    /// The open connections, including those in a TLS handshake.
    pub fn open(&self) -> usize {
        self.counts.open.load(Relaxed)
    }

    /// The most open connections.
    pub fn limit(&self) -> u32 {
        self.limit.get()
    }

    /// The connections that were accepted in total.
    pub fn accepted(&self) -> u64 {
        self.counts.accepted.load(Relaxed)
    }

    /// When the certificate in use expires. Reads renewed files first. `None` without TLS.
    pub fn certificate_expires_at(&self) -> Option<Timestamp> {
        self.certificate.as_ref()?.expires_at()
    }
}

impl OpenConnection {
    pub(super) fn accepted(counts: &Arc<Counts>) -> Self {
        counts.accepted.fetch_add(1, Relaxed);
        counts.open.fetch_add(1, Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
