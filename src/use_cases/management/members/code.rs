//! The code of an invitation. It stands behind `#` in the link, so that no server on the way sees it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};

/// 256 random bits. The store has only their digest.
pub struct InvitationCode(Zeroizing<[u8; 32]>);

/// The text is not the code of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the code of an invitation")]
pub struct InvitationCodeError;

impl InvitationCode {
    /// Generates a code.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy.bytes()?)))
    }

    /// The code as text, only for the link.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(&self.0[..]))
    }

    /// The digest by which the store finds the invitation. It reveals nothing about 256 random bits.
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.0[..]))
    }

    /// The link that an invited person opens.
    pub fn link(&self, issuer: &str) -> String {
        format!("{issuer}/console/invitation#{}", *self.expose())
    }
}

impl FromStr for InvitationCode {
    type Err = InvitationCodeError;

    fn from_str(text: &str) -> Result<Self, InvitationCodeError> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| InvitationCodeError)?);
        let bytes = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| InvitationCodeError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_and_is_never_printed() {
        let code = InvitationCode::generate(&Entropy::scripted(0..32)).unwrap();
        let again: InvitationCode = code.expose().parse().unwrap();
        assert_eq!(again.digest(), code.digest());
        assert_eq!(format!("{code:?}"), "InvitationCode([redacted])");
        assert!(code.link("https://keys.example.com").ends_with(&*code.expose()));
        for bad in ["", "AAAA", &code.digest()[1..]] {
            assert!(bad.parse::<InvitationCode>().is_err(), "{bad}");
        }
    }
}
