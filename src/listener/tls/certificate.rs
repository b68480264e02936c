//! A certificate that is read again when its files change.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{TlsError, TlsSettings};
use crate::base::certificate::CertificateFacts;
use crate::base::clock::{Timestamp, monotonic_now};
use crate::base::key_file::{self, Readers};
use crate::base::lock::{Mutex, RwLock};
use crate::base::text::without_byte_order_mark_bytes;

/// The certificate in use, and the state of its files when it was read.
#[derive(Debug)]
pub struct RenewedCertificate {
    settings: TlsSettings,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    checked: Mutex<Checked>,
}

/// What came of reading the files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The files hold another certificate, which is now in use.
    Replaced,
    /// The files hold the certificate that was in use already.
    Same,
    /// The files can't be used, so the old certificate stays in use.
    Kept,
}

#[derive(Debug)]
struct Checked {
    at: Instant,
    files: Option<[FileState; 2]>,
}

impl RenewedCertificate {
    pub(super) fn load(settings: TlsSettings, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let checked = Checked { at: monotonic_now(), files: files(&settings) };
        let current = RwLock::new(Arc::new(read_pair(&settings, &provider)?));
        Ok(Self { settings, provider, current, checked: Mutex::new(checked) })
    }

    /// When the server's own certificate expires. Reads renewed files first, so that the answer is right even if no client
    /// connects.
    pub(in crate::listener) fn expires_at(&self) -> Option<Timestamp> {
        self.renew();
        facts(&self.current.read()).map(|facts| facts.not_after)
    }

    /// Reads the files again if it is time to check and they have changed. One connection does this. Others meanwhile
    /// use the present certificate.
    fn renew(&self) {
        let Some(mut checked) = self.checked.try_lock() else { return };
        if checked.at.elapsed() < self.settings.reload_every {
            return;
        }
        checked.at = monotonic_now();
        if files(&self.settings) != checked.files {
            self.read_again(&mut checked);
        }
    }

    /// Reads the files at once, whether they have changed or not. The log says what came of it.
    pub fn renew_now(&self) -> Renewal {
        let mut checked = self.checked.lock();
        checked.at = monotonic_now();
        self.read_again(&mut checked)
    }

    fn read_again(&self, checked: &mut Checked) -> Renewal {
        // Before they are read: a later change is then seen at the next check.
        let files = files(&self.settings);
        let path = self.settings.certificate.display();
        let pair = match read_pair(&self.settings, &self.provider) {
            Ok(pair) => Arc::new(pair),
            Err(error) => {
                let current = facts(&self.current.read()).map(|facts| facts.to_string());
                tracing::warn!(%error, in_use = current, "the certificate cannot be used; the old one stays in use");
                return Renewal::Kept;
            }
        };
        let said = facts(&pair);
        let names = said.as_ref().map(|facts| facts.names.join(", "));
        let expires_at = said.as_ref().map(|facts| facts.not_after.rfc3339());
        let is_same = self.current.read().cert == pair.cert;
        *self.current.write() = pair;
        checked.files = files;
        if is_same {
            tracing::info!(certificate = %path, names, expires_at, "the certificate is the same as before");
            return Renewal::Same;
        }
        tracing::info!(certificate = %path, names, expires_at, "certificate replaced");
        Renewal::Replaced
    }
}

impl ResolvesServerCert for RenewedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.renew();
        Some(Arc::clone(&self.current.read()))
    }
}

impl TlsSettings {
    /// Reads both files, and checks that they belong together. Returns what the certificate says of itself.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn check(&self) -> Result<Option<CertificateFacts>, TlsError> {
        read_pair(self, &rustls::crypto::ring::default_provider()).map(|pair| facts(&pair))
    }
}

/// The facts of the server's own certificate, which is the first of the chain.
fn facts(pair: &CertifiedKey) -> Option<CertificateFacts> {
    CertificateFacts::of(pair.cert.first()?)
}

/// The properties of a file that change when it is replaced or rewritten.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    inode: (u64, u64),
    modified: (i64, i64),
    length: u64,
}

impl From<Metadata> for FileState {
    fn from(metadata: Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            length: metadata.len(),
        }
    }
}

fn files(settings: &TlsSettings) -> Option<[FileState; 2]> {
    let state = |path: &Path| path.metadata().ok().map(FileState::from);
    Some([state(&settings.certificate)?, state(&settings.key)?])
}

fn read_pair(settings: &TlsSettings, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(&settings.certificate)?;
    let key = read_key(&settings.key, settings.key_readers)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        let (key, certificate) = (settings.key.clone(), settings.certificate.clone());
        match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { key, certificate }
            }
            source => TlsError::Unusable { key, certificate, source },
        }
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = fs::read(path).map_err(|source| TlsError::Certificate { path: path.into(), source })?;
    let chain = CertificateDer::pem_slice_iter(without_byte_order_mark_bytes(&pem))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Malformed { path: path.into(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.into() });
    }
    Ok(chain)
}

fn read_key(path: &Path, readers: Readers) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = key_file::read_shared(path, readers)?;
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { path: path.into() },
        source => TlsError::Malformed { path: path.into(), source },
    })
}
