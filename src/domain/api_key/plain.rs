//! The whole text of a key, which is shown once and presented with every request.

use std::fmt;

use zeroize::Zeroizing;

use super::name::{is_brand, is_environment};
use super::tag::TAG_LEN;
use super::{Brand, EnvironmentSlug, ID_LEN, KeyId, Tagger, beginning, random_base62};
use crate::base::entropy::{Entropy, EntropyError};

/// 43 base62 characters have slightly more than 256 bits.
const SECRET_LEN: usize = 43;

const BODY_LEN: usize = ID_LEN + SECRET_LEN + TAG_LEN;

/// A key with its secret and a verified tag. It is wiped from memory when dropped.
pub struct PlainKey {
    text: Zeroizing<String>,
    brand_len: usize,
    environment_len: usize,
    id: KeyId,
    master_key: i64,
}

impl PlainKey {
    /// Generates a key with a new id.
    ///
    /// # Errors
    /// [`EntropyError`] when `entropy` fails.
    pub fn generate(
        brand: &Brand,
        environment: &EnvironmentSlug,
        tagger: &Tagger,
        entropy: &Entropy,
    ) -> Result<Self, EntropyError> {
        Self::with_id(brand, environment, KeyId::generate(entropy)?, tagger, entropy)
    }

    /// Generates a new secret for the key `id`.
    ///
    /// # Errors
    /// [`EntropyError`] when `entropy` fails.
    pub fn with_id(
        brand: &Brand,
        environment: &EnvironmentSlug,
        id: KeyId,
        tagger: &Tagger,
        entropy: &Entropy,
    ) -> Result<Self, EntropyError> {
        let secret = Zeroizing::new(random_base62::<SECRET_LEN>(entropy)?);
        let (brand, environment) = (brand.as_str(), environment.as_str());
        // The exact capacity: a string that grows leaves copies of itself in memory.
        let mut text = Zeroizing::new(String::with_capacity(brand.len() + environment.len() + 2 + BODY_LEN));
        for part in [brand, "_", environment, "_", id.as_str()] {
            text.push_str(part);
        }
        text.extend(secret.iter().copied().map(char::from));
        let tag = tagger.tag(&text);
        text.extend(tag.map(char::from));
        Ok(Self {
            text,
            brand_len: brand.len(),
            environment_len: environment.len(),
            id,
            master_key: tagger.master_key(),
        })
    }

    /// Reads a presented key. Any brand is accepted: the tag tells whether the key was issued here.
    ///
    /// # Errors
    /// [`NotIssuedHere`], without a reason.
    pub fn parse(text: &str, tagger: &Tagger) -> Result<Self, NotIssuedHere> {
        let parts = Parts::of(text).ok_or(NotIssuedHere)?;
        let (untagged, tag) = text.split_at(text.len() - TAG_LEN);
        if !tagger.is_tag_of(tag, untagged) {
            return Err(NotIssuedHere);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            brand_len: parts.brand.len(),
            environment_len: parts.environment.len(),
            id: parts.id,
            master_key: tagger.master_key(),
        })
    }

    /// The number of the master key under which its tag was made.
    pub const fn master_key(&self) -> i64 {
        self.master_key
    }

    /// The id, which is not secret.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The 43 characters that prove possession of the key.
    pub fn secret(&self) -> &str {
        let end = self.text.len() - TAG_LEN;
        &self.text[end - SECRET_LEN..end]
    }

    /// The brand under which the key was issued.
    pub fn brand(&self) -> &str {
        &self.text[..self.brand_len]
    }

    /// The part that lists show; see [`display_prefix`](super::display_prefix).
    pub fn display_prefix(&self) -> String {
        beginning(self.brand(), self.environment(), &self.id())
    }

    /// The environment for which the key was issued.
    pub fn environment(&self) -> &str {
        let start = self.brand_len + 1;
        &self.text[start..start + self.environment_len]
    }

    /// The whole text, for the only response that shows it and the only check that needs it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey([redacted])")
    }
}

/// Whether `text` has the form of a key; the tag is not checked. A JWT never does, because it contains dots.
pub fn looks_like_key(text: &str) -> bool {
    Parts::of(text).is_some()
}

/// The id of the key that `text` claims to be; the tag is not checked.
pub fn claimed_id(text: &str) -> Option<KeyId> {
    Parts::of(text).map(|parts| parts.id)
}

/// The presented text is not a key of this deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key that was issued here")]
pub struct NotIssuedHere;

/// The parts of a text with the form of a key.
struct Parts<'a> {
    brand: &'a str,
    environment: &'a str,
    id: KeyId,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (brand, rest) = text.split_once('_')?;
        let (environment, body) = rest.split_once('_')?;
        let well_formed = is_brand(brand)
            && is_environment(environment)
            && body.len() == BODY_LEN
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !well_formed {
            return None;
        }
        Some(Self { brand, environment, id: KeyId::from_bare(&body[..ID_LEN])? })
    }
}
