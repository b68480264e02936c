//! The tag that distinguishes keys of this deployment from all others.

use std::fmt;

use ring::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::BASE62;

pub(super) const TAG_LEN: usize = 6;

/// Makes and checks tags, with a key of the deployment.
#[derive(Clone)]
pub struct Tagger {
    key: hmac::Key,
    master_key: i64,
}

impl Tagger {
    /// A tagger with `key`, which must serve no other purpose. It is derived from the deployment's first master key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self::numbered(key, 1)
    }

    /// The same for a `key` that is derived from the deployment's master key with this number.
    pub fn numbered(key: &[u8; 32], master_key: i64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), master_key }
    }

    /// The number of the master key from which its key is derived.
    pub const fn master_key(&self) -> i64 {
        self.master_key
    }

    /// The tag: the first 8 bytes of HMAC-SHA256 over `body`, as a big-endian number modulo 62⁶, in base62 with the
    /// most significant digit first.
    pub(super) fn tag(&self, body: &str) -> [u8; TAG_LEN] {
        let digest = hmac::sign(&self.key, body.as_bytes());
        let mut number =
            digest.as_ref().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let mut tag = [0; TAG_LEN];
        for digit in tag.iter_mut().rev() {
            *digit = BASE62[(number % 62) as usize];
            number /= 62;
        }
        tag
    }

    /// Marks a text that is not a key as issued here. The purpose separates it from other marked texts.
    pub fn marked(&self, purpose: &str, text: &str) -> Zeroizing<String> {
        let tag = self.tag(&Zeroizing::new(format!("{purpose} {text}")));
        Zeroizing::new(text.chars().chain(tag.map(char::from)).collect())
    }

    /// The text in `marked`, if it was marked here for this purpose.
    pub fn unmarked<'m>(&self, purpose: &str, marked: &'m str) -> Option<&'m str> {
        let (text, tag) = marked.split_at_checked(marked.len().checked_sub(TAG_LEN)?)?;
        // The space separates it from keys, which contain none.
        self.is_tag_of(tag, &Zeroizing::new(format!("{purpose} {text}"))).then_some(text)
    }

    /// Whether `tag` is the tag of `body`. The time doesn't reveal how much of it is right.
    pub(super) fn is_tag_of(&self, tag: &str, body: &str) -> bool {
        self.tag(body).as_slice().ct_eq(tag.as_bytes()).into()
    }
}

impl fmt::Debug for Tagger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tagger([redacted])")
    }
}
