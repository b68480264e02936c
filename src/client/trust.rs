//! The certificate authorities that a client trusts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::base::text::without_byte_order_mark_bytes;

/// The certificate authorities that may have issued a server's certificate.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Those of the system, to which an operator also adds an organization's own. `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// name others. A built-in list would know neither.
    #[default]
    System,
    /// Only those in this PEM file. The file may also hold a server's own self-signed certificate. That one is trusted
    /// for its names until it expires.
    File(PathBuf),
}

/// Why no certificate authorities can be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The system has no certificate authorities, or they can't be read.
    #[error("the system has no certificate authorities{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    NoneInSystem(Option<String>),
    /// The file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not valid PEM.
    #[error("{path} is not valid PEM: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The error of the PEM parser.
        source: pem::Error,
    },
    /// The file has no certificate, or none that can be used.
    #[error("{0} has no usable certificate in it")]
    NoneInFile(PathBuf),
    /// rustls can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Trust {
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let config = match self {
            Self::System => versions.with_root_certificates(system()?),
            Self::File(path) => {
                let named = file(path)?;
                let usual =
                    WebPkiServerVerifier::builder_with_provider(store(named.clone()).into(), provider);
                let usual = usual.build().map_err(|_| TrustError::NoneInFile(path.to_owned()))?;
                versions.dangerous().with_custom_certificate_verifier(Arc::new(SelfSigned { usual, named }))
            }
        };
        Ok(Arc::new(config.with_no_client_auth()))
    }
}

/// The usual verification. In addition, a certificate in the file may be both an authority and a server's own
/// certificate, as `openssl req -x509` makes them. webpki refuses such certificates.
#[derive(Debug)]
struct SelfSigned {
    usual: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for SelfSigned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = self.usual.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match &usual {
            // webpki has already checked the dates.
            Err(error) if is_an_authoritys(error) && self.named.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            _ => usual,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

fn is_an_authoritys(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else {
        return false;
    };
    error.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

fn system() -> Result<RootCertStore, TrustError> {
    let found = rustls_native_certs::load_native_certs();
    let roots = store(found.certs);
    if roots.is_empty() {
        return Err(TrustError::NoneInSystem(found.errors.first().map(ToString::to_string)));
    }
    Ok(roots)
}

fn file(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let text = std::fs::read(path).map_err(|source| TrustError::Io { path: path.to_owned(), source })?;
    let certificates =
        CertificateDer::pem_slice_iter(without_byte_order_mark_bytes(&text)).collect::<Result<Vec<_>, _>>();
    let certificates =
        certificates.map_err(|source| TrustError::Malformed { path: path.to_owned(), source })?;
    if store(certificates.clone()).is_empty() {
        return Err(TrustError::NoneInFile(path.to_owned()));
    }
    Ok(certificates)
}

/// The certificates that can be used. A system's store may hold unusual ones.
fn store(certificates: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    roots
}
