//! Whose certificates are believed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject as _};

/// Which certificate authorities a server's certificate may come from.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Those of the system, where whoever runs it puts an organization's own too; `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others. A list that is built in would know neither.
    #[default]
    System,
    /// Those in this PEM file, and no others.
    File(PathBuf),
}

/// Why nobody can be trusted.
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
        /// What the system says.
        source: io::Error,
    },
    /// The file's PEM is damaged.
    #[error("{path} is not valid PEM: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// No certificate, or none that can be used.
    #[error("{0} has no usable certificate in it")]
    NoneInFile(PathBuf),
    /// This build can't do TLS.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Trust {
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let roots = match self {
            Self::System => system()?,
            Self::File(path) => file(path)?,
        };
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Arc::new(versions.with_root_certificates(roots).with_no_client_auth()))
    }
}

fn system() -> Result<RootCertStore, TrustError> {
    let found = rustls_native_certs::load_native_certs();
    let roots = store(found.certs);
    if roots.is_empty() {
        return Err(TrustError::NoneInSystem(found.errors.first().map(ToString::to_string)));
    }
    Ok(roots)
}

fn file(path: &Path) -> Result<RootCertStore, TrustError> {
    let text = std::fs::read(path).map_err(|source| TrustError::Io { path: path.to_owned(), source })?;
    let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let certificates =
        certificates.map_err(|source| TrustError::Malformed { path: path.to_owned(), source })?;
    let roots = store(certificates);
    if roots.is_empty() {
        return Err(TrustError::NoneInFile(path.to_owned()));
    }
    Ok(roots)
}

/// Those that can be used: a system's store may hold odd ones.
fn store(certificates: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    roots
}
