//! API keys: `{brand}_{env}_{id}{secret}{tag}`, in ASCII and without characters that need escaping.
//!
//! The tag is a keyed hash of everything before it, so text that this deployment didn't issue is refused without a
//! query. The tag doesn't replace the secret: whoever has the tag's key can make tags, but not secrets.

mod clue;
mod name;
mod plain;
mod sought;
mod tag;

use std::fmt;
use std::str::FromStr;

use crate::base::entropy::{Entropy, EntropyError};
use crate::base::text::serde_as_text;

pub use clue::{KeyClue, KeyClueError};
pub use name::{Brand, BrandError, EnvironmentSlug, EnvironmentSlugError};
pub use plain::{NotIssuedHere, PlainKey, claimed_id, looks_like_key};
pub use sought::{IdBeginning, sought_key};
pub use tag::Tagger;

const ID_LEN: usize = 16;

/// The public id of a key: 16 base62 characters. As a client id it is written `key_{id}`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_LEN]);

impl KeyId {
    /// Generates a random id.
    ///
    /// # Errors
    /// [`EntropyError`] when `entropy` fails.
    pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(random_base62(entropy)?))
    }

    /// Reads the 16 characters without `key_`. `None` if they are malformed.
    pub fn from_bare(bare: &str) -> Option<Self> {
        let bytes: [u8; ID_LEN] = bare.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The 16 characters without `key_`, as a key contains them.
    pub fn as_str(&self) -> &str {
        // The characters are always base62, which only `unsafe` could express without the conversion.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(client_id: &str) -> Result<Self, KeyIdError> {
        client_id.strip_prefix("key_").and_then(Self::from_bare).ok_or(KeyIdError)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key_{}", self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a key's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's id must be `key_` and 16 letters or digits")]
pub struct KeyIdError;

/// The beginning of a key, up to the first 4 characters of its id, as lists show it: `clv_prd_4f2a…`. It is not
/// unique.
pub fn display_prefix(brand: &Brand, environment: &EnvironmentSlug, id: &KeyId) -> String {
    beginning(brand.as_str(), environment.as_str(), id)
}

fn beginning(brand: &str, environment: &str, id: &KeyId) -> String {
    let id: String = id.as_str().chars().take(4).collect();
    format!("{brand}_{environment}_{id}…")
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `N` uniformly random base62 characters.
fn random_base62<const N: usize>(entropy: &Entropy) -> Result<[u8; N], EntropyError> {
    let mut characters = [0; N];
    for character in &mut characters {
        *character = random_character(entropy)?;
    }
    Ok(characters)
}

/// One uniformly random base62 character. Bytes from 248 = 4 × 62 up are drawn again, because modulo 62 they would
/// favour the first eight characters.
fn random_character(entropy: &Entropy) -> Result<u8, EntropyError> {
    loop {
        let [byte] = entropy.bytes()?;
        if byte < 248 {
            return Ok(BASE62[usize::from(byte % 62)]);
        }
    }
}

serde_as_text!(KeyId);
