//! Signs compact JWSs.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

use crate::jose::jwk::{SigningFailed, SigningKey};

/// A key with the encoded header of one type of token, so that a signature costs little beyond the key's own work.
#[derive(Clone, Debug)]
pub struct CompactSigner {
    key: Arc<SigningKey>,
    /// The encoded header, with the full stop after it.
    prefix: String,
}

impl CompactSigner {
    /// A signer for tokens of the media type `typ`, such as `at+jwt` (RFC 7515 §4.1.9).
    pub fn new(key: Arc<SigningKey>, typ: &str) -> Self {
        let prefix = encoded_header(&key, typ);
        Self { key, prefix }
    }

    /// The signing key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs `payload`, and returns the compact serialization (RFC 7515 §7.1).
    ///
    /// # Errors
    /// [`SigningFailed`], as [`SigningKey::sign`].
    pub fn sign(&self, payload: &[u8]) -> Result<String, SigningFailed> {
        compact(&self.key, &self.prefix, payload)
    }
}

/// Signs one `payload`. A [`CompactSigner`] is faster for many.
///
/// # Errors
/// [`SigningFailed`], as [`SigningKey::sign`].
pub fn sign_compact(key: &SigningKey, typ: &str, payload: &[u8]) -> Result<String, SigningFailed> {
    compact(key, &encoded_header(key, typ), payload)
}

/// The length of the common 64-byte signature in base64url. Reserving space for the longest, RSA with 4096 bits,
/// would waste most of it.
const USUAL_SIGNATURE: usize = 86;

fn compact(key: &SigningKey, prefix: &str, payload: &[u8]) -> Result<String, SigningFailed> {
    let mut token = String::with_capacity(prefix.len() + payload.len().div_ceil(3) * 4 + 1 + USUAL_SIGNATURE);
    token.push_str(prefix);
    BASE64URL.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    BASE64URL.encode_string(signature, &mut token);
    Ok(token)
}

/// Only `typ` needs escaping as JSON. The algorithm and the key's id never do.
fn encoded_header(key: &SigningKey, typ: &str) -> String {
    let typ = serde_json::Value::from(typ);
    let header = format!(r#"{{"alg":"{}","typ":{typ},"kid":"{}"}}"#, key.algorithm(), key.kid());
    BASE64URL.encode(header) + "."
}
