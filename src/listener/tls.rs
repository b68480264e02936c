//! TLS 1.2 and 1.3, with a certificate and a key in PEM files.

mod certificate;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::base::key_file::{KeyFileError, Readers};
pub use certificate::{Renewal, RenewedCertificate};

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The certificate of a listener.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// The PEM file of the certificate chain, with the server's own certificate first.
    pub certificate: PathBuf,
    /// The PEM file of the private key (PKCS#8, SEC1 or PKCS#1).
    pub key: PathBuf,
    /// Who may read the private key. If anybody else can, the key is not used.
    pub key_readers: Readers,
    /// The files are checked for a renewed certificate when a client connects, at most once in this time. If the new
    /// files can't be used, the old certificate stays, and the log has a warning.
    pub reload_every: Duration,
}

impl TlsSettings {
    /// Two files, checked at most once a minute.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            key_readers: Readers::default(),
            reload_every: Duration::from_secs(60),
        }
    }
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file does not exist or can't be read.
    #[error("{path}: {source}")]
    Certificate {
        /// The certificate file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The key file does not exist, can't be read, or can be read by others.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A file is not valid PEM.
    #[error("{path} is not valid PEM: {source}")]
    Malformed {
        /// The certificate file or the key file.
        path: PathBuf,
        /// The error of the PEM parser.
        source: rustls_pki_types::pem::Error,
    },
    /// The certificate file has no certificate.
    #[error("{path} has no certificate in it")]
    NoCertificate {
        /// The certificate file.
        path: PathBuf,
    },
    /// The key file has no private key, or only one with a passphrase.
    #[error("{path} has no unencrypted private key in it")]
    NoKey {
        /// The key file.
        path: PathBuf,
    },
    /// The key and the certificate do not belong together.
    #[error("the key in {key} does not belong to the first certificate in {certificate}")]
    Mismatch {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        certificate: PathBuf,
    },
    /// The kind of key or certificate is not supported.
    #[error("{certificate} and {key} cannot be used: {source}")]
    Unusable {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        certificate: PathBuf,
        /// The error of rustls.
        source: rustls::Error,
    },
}

/// Reads the certificate. Returns an acceptor that renews it, and the certificate, to renew it at once.
pub(super) fn acceptor(settings: TlsSettings) -> Result<(TlsAcceptor, Arc<RenewedCertificate>), TlsError> {
    // The provider is explicit. Another crate may have set the process's default, or left it ambiguous.
    let provider = Arc::new(ring::default_provider());
    let certificate = Arc::new(RenewedCertificate::load(settings, Arc::clone(&provider))?);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("ring has cipher suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(certificate.clone());
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), certificate))
}

/// Whether the peer selected HTTP/2 by ALPN (RFC 9113 §3.2).
pub(super) fn chose_http2<T>(stream: &TlsStream<T>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}
