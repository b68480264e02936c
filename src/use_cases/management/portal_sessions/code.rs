//! Codes that open a session of the portal.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};
use crate::node::Authenticator;

/// The purpose of the tag on codes. The tag proves that this deployment made the code, so forged codes never reach the
/// store.
const PURPOSE: &str = "portal code";

/// A code: 256 random bits.
pub struct PortalCode(Zeroizing<[u8; 32]>);

impl PortalCode {
    /// Generates a code.
    pub(super) fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy.bytes()?)))
    }

    /// Reads a code, if this deployment made it.
    pub fn read(authenticator: &Authenticator, text: &str) -> Option<Self> {
        let code = authenticator.master_keys.unmarked(PURPOSE, text.trim())?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(code).ok()?);
        <[u8; 32]>::try_from(&bytes[..]).ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The text of the code, for the one answer that shows it.
    pub(super) fn marked(&self, authenticator: &Authenticator) -> Zeroizing<String> {
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&self.0[..]));
        authenticator.master_keys.marked(PURPOSE, &text)
    }

    /// The digest that the store holds. It reveals nothing about 256 random bits.
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.0[..]))
    }
}

impl fmt::Debug for PortalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortalCode([redacted])")
    }
}
