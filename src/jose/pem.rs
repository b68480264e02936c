//! Imports signing keys in PEM (RFC 7468).
//!
//! It accepts unencrypted PKCS#8 keys (`PRIVATE KEY`) for P-256, Ed25519 and RSA, and PKCS#1 keys (`RSA PRIVATE
//! KEY`). For everything else, the error says what the text is and what to do about it.

mod der;
mod fault;

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

pub use fault::PemFault;

use crate::base::text::without_byte_order_mark;
use crate::jose::jwk::{Pkcs8, SigningKey, VerifyingKey};

/// Reads the only private key in `pem`. Certificates, public keys and comments around it are ignored.
///
/// The returned document is PKCS#8 whatever the PEM contains. [`SigningKey::from_pkcs8`] reads it again.
///
/// # Errors
/// [`PemFault`] says what the PEM contains instead.
pub fn import(pem: &str) -> Result<(SigningKey, Pkcs8), PemFault> {
    let pem = without_byte_order_mark(pem);
    require_one_plain_key(pem)?;
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| PemFault::Malformed)?;
    let pkcs8 = match &*Zeroizing::new(der) {
        PrivateKeyDer::Pkcs8(key) => Pkcs8::new(key.secret_pkcs8_der().to_vec()),
        PrivateKeyDer::Pkcs1(key) => der::pkcs8_from_pkcs1(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(_) => return Err(PemFault::Sec1),
        _ => return Err(PemFault::Unsupported),
    };
    let key = SigningKey::from_pkcs8(der::algorithm(pkcs8.as_bytes())?, pkcs8.as_bytes())?;
    prove(&key)?;
    Ok((key, pkcs8))
}

/// Checks the labels on their own, because the parser of the blocks skips unknown labels.
fn require_one_plain_key(pem: &str) -> Result<(), PemFault> {
    let labels: Vec<&str> = pem.split(['\r', '\n']).filter_map(label).collect();
    let mut keys = labels.iter().filter(|label| label.ends_with("PRIVATE KEY"));
    match (keys.next().copied(), keys.next()) {
        (Some(_), Some(_)) => Err(PemFault::SeveralKeys),
        // RFC 1421 §4.6.1.1: OpenSSL's encryption under the other labels.
        (Some(_), None) if pem.contains("Proc-Type: 4,ENCRYPTED") => Err(PemFault::Encrypted),
        (Some("PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY"), None) => Ok(()),
        (Some("ENCRYPTED PRIVATE KEY"), None) => Err(PemFault::Encrypted),
        (Some("OPENSSH PRIVATE KEY"), None) => Err(PemFault::OpenSsh),
        (Some(_), None) => Err(PemFault::Unsupported),
        (None, _) if labels.iter().any(|label| label.ends_with("CERTIFICATE")) => Err(PemFault::Certificate),
        (None, _) if labels.iter().any(|label| label.ends_with("PUBLIC KEY")) => Err(PemFault::PublicKey),
        (None, _) => Err(PemFault::NoKey),
    }
}

fn label(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----")
}

/// Signs and verifies once, because some contradictions between the parts of an RSA key only show in use.
fn prove(key: &SigningKey) -> Result<(), PemFault> {
    let message = b"a key that signs what it can't verify is of no use";
    let signature = key.sign(message).map_err(|_| PemFault::Inconsistent)?;
    let verifying = VerifyingKey::from(key.public_jwk().clone());
    if verifying.verify(message, signature.as_ref()) { Ok(()) } else { Err(PemFault::Inconsistent) }
}
