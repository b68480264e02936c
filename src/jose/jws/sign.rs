//! Making compact JWSs.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

use crate::jose::jwk::{SigningFailed, SigningKey};

/// A key together with the encoded header of one type of token, so that a signature costs little more than
/// itself.
#[derive(Clone, Debug)]
pub struct CompactSigner {
    key: Arc<SigningKey>,
    /// The encoded header and the full stop after it.
    prefix: String,
}

impl CompactSigner {
    /// For tokens of the media type `typ`, such as `at+jwt` (RFC 7515 §4.1.9).
    pub fn new(key: Arc<SigningKey>, typ: &str) -> Self {
        let prefix = encoded_header(&key, typ);
        Self { key, prefix }
    }

    /// The key that signs.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The compact serialization of `payload`, signed (RFC 7515 §7.1).
    ///
    /// # Errors
    /// [`SigningFailed`], as [`SigningKey::sign`].
    pub fn sign(&self, payload: &[u8]) -> Result<String, SigningFailed> {
        compact(&self.key, &self.prefix, payload)
    }
}

/// Signs one `payload`; who signs many keeps a [`CompactSigner`].
///
/// # Errors
/// [`SigningFailed`], as [`SigningKey::sign`].
pub fn sign_compact(key: &SigningKey, typ: &str, payload: &[u8]) -> Result<String, SigningFailed> {
    compact(key, &encoded_header(key, typ), payload)
}

/// Room for the longest signature, RSA with 4096 bits, would be wasted on the usual 64 bytes.
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

/// `typ` is escaped as JSON needs it; the other two never need it.
fn encoded_header(key: &SigningKey, typ: &str) -> String {
    let typ = serde_json::Value::from(typ);
    let header = format!(r#"{{"alg":"{}","typ":{typ},"kid":"{}"}}"#, key.algorithm(), key.kid());
    BASE64URL.encode(header) + "."
}
