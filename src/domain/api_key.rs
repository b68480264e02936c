//! API keys: `{brand}_{env}_{id}{secret}{tag}`, all ASCII, nothing that ever needs escaping.
//!
//! The tag is a keyed hash of all before it, so that what was not issued here is refused without asking
//! anybody. It is no substitute for the secret: whoever has the tag's key can make tags, not secrets.

mod clue;
mod name;
mod plain;
mod tag;

use std::fmt;
use std::str::FromStr;

use crate::base::entropy::{Entropy, EntropyError};
use crate::base::text::serde_as_text;

pub use clue::{KeyClue, KeyClueError};
pub use name::{Brand, BrandError, EnvironmentSlug, EnvironmentSlugError};
pub use plain::{NotIssuedHere, PlainKey, claimed_id, looks_like_key};
pub use tag::Tagger;

const ID_LEN: usize = 16;

/// The public name of a key: 16 base62 characters. As a client id it is written `key_{id}`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_LEN]);

impl KeyId {
    /// A new one.
    ///
    /// # Errors
    /// [`EntropyError`] when `entropy` has none.
    pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(random_base62(entropy)?))
    }

    /// Reads the bare 16 characters, without `key_`; `None` when they are not such.
    pub fn from_bare(bare: &str) -> Option<Self> {
        let bytes: [u8; ID_LEN] = bare.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The bare 16 characters, as they stand in a key.
    pub fn as_str(&self) -> &str {
        // Always base62; there is no other way to say so without `unsafe`.
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

/// A text that is no key's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's id must be `key_` and 16 letters or digits")]
pub struct KeyIdError;

/// What a list shows of a key: its beginning, up to the first 4 characters of its id, as `clv_prd_4f2a…`.
/// Not unique.
pub fn display_prefix(brand: &Brand, environment: &EnvironmentSlug, id: &KeyId) -> String {
    beginning(brand.as_str(), environment.as_str(), id)
}

fn beginning(brand: &str, environment: &str, id: &KeyId) -> String {
    let id: String = id.as_str().chars().take(4).collect();
    format!("{brand}_{environment}_{id}…")
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `N` uniform base62 characters.
fn random_base62<const N: usize>(entropy: &Entropy) -> Result<[u8; N], EntropyError> {
    let mut characters = [0; N];
    for character in &mut characters {
        *character = random_character(entropy)?;
    }
    Ok(characters)
}

/// One uniform base62 character. The bytes from 248 = 4 × 62 up are drawn again: taken modulo 62 they would
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
