//! TLS 1.2 and 1.3 from a certificate and a key in PEM files.

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
use certificate::RenewedCertificate;

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// Where a listener finds its certificate.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// PEM file of the certificate chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// PEM file of the private key (PKCS#8, SEC1 or PKCS#1).
    pub key: PathBuf,
    /// Who may read the private key. It is not used if anybody else can.
    pub key_readers: Readers,
    /// How often, at most, the files are looked at for a renewed certificate: when a client connects after
    /// this time. If the new files cannot be used, the old certificate stays, with a warning in the log.
    pub reload_every: Duration,
}

impl TlsSettings {
    /// From two files, looked at again once a minute.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            key_readers: Readers::default(),
            reload_every: Duration::from_secs(60),
        }
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate file that is not there or cannot be read.
    #[error("{path}: {source}")]
    Certificate {
        /// The certificate file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A key file that is not there, cannot be read, or can be read by others.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A file whose PEM is damaged.
    #[error("{path} is not valid PEM: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// A certificate file without a certificate.
    #[error("{path} has no certificate in it")]
    NoCertificate {
        /// The certificate file.
        path: PathBuf,
    },
    /// A key file without a private key; one under a passphrase counts as none.
    #[error("{path} has no unencrypted private key in it")]
    NoKey {
        /// The key file.
        path: PathBuf,
    },
    /// A key and a certificate of different pairs.
    #[error("the key in {key} does not belong to the first certificate in {certificate}")]
    Mismatch {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        certificate: PathBuf,
    },
    /// A kind of key or certificate that is not supported.
    #[error("{certificate} and {key} cannot be used: {source}")]
    Unusable {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        certificate: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
}

/// Reads the certificate, and takes connections with it from then on.
pub(super) fn acceptor(settings: TlsSettings) -> Result<TlsAcceptor, TlsError> {
    // Named, not the process's default, which another crate in it may have set or left ambiguous.
    let provider = Arc::new(ring::default_provider());
    let certificate = RenewedCertificate::load(settings, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("ring has cipher suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Whether the peer asked for HTTP/2 by ALPN (RFC 9113 §3.2).
pub(super) fn chose_http2<T>(stream: &TlsStream<T>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}
