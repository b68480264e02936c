//! How a token was presented, and whether that fits what it is bound to.

use super::TokenFault;
use crate::jose::jwk::Thumbprint;

/// How a token came to whoever verifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// As the credential of its sender, with the scheme `Bearer` (RFC 6750 §2.1). A token that is bound to a key is refused.
    Bearer,
    /// As the credential of its sender, with the scheme `DPoP` and a proof of the key with this thumbprint (RFC 9449 §7.1).
    /// Only a token that is bound to this key is accepted.
    Proven(Thumbprint),
    /// Not as the credential of its sender, but to be described, exchanged or revoked. Tokens of all kinds are accepted. The
    /// caller has to see to what [`Claims::confirmation`](super::Claims::confirmation) requires.
    Shown,
}

impl Presentation {
    /// Checks that a token that is bound to `key` may be presented in this way.
    ///
    /// # Errors
    /// [`TokenFault::Bound`], [`TokenFault::NotBound`] or [`TokenFault::BoundToOther`].
    pub fn check(self, key: Option<Thumbprint>) -> Result<(), TokenFault> {
        match (self, key) {
            (Self::Shown, _) | (Self::Bearer, None) => Ok(()),
            (Self::Bearer, Some(_)) => Err(TokenFault::Bound),
            (Self::Proven(_), None) => Err(TokenFault::NotBound),
            (Self::Proven(proven), Some(bound)) if proven == bound => Ok(()),
            (Self::Proven(_), Some(_)) => Err(TokenFault::BoundToOther),
        }
    }
}
