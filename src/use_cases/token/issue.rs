//! Making the token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Grant, OAuthError};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::jose::claims::{AccessTokenClaims, MAX_LIFETIME};
use crate::jose::jwk::SigningFailed;
use crate::node::{Authenticated, Signer};

/// A new access token.
#[derive(Debug)]
pub struct Issued {
    /// The token itself.
    pub access_token: String,
    /// `exp` − `iat`, in seconds.
    pub expires_in: i64,
    /// What it allows, in canonical form.
    pub scope: String,
    /// Its `jti`.
    pub token_id: TokenId,
}

/// A `jti`: 128 random bits in base64url, which make a second one impossible for all practical purposes
/// (RFC 7519 §4.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenId([u8; 22]);

impl TokenId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        let mut text = [0; 22];
        // 16 bytes are 22 characters: there is room for all of them.
        let _ = URL_SAFE_NO_PAD.encode_slice(entropy.identifier()?, &mut text);
        Ok(Self(text))
    }
}

/// Why no token could be made. Without a signing key the next attempt may succeed; all else is the server's fault.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// There is no key to sign with.
    #[error("no signing key is active")]
    NoSigningKey,
    /// The signature failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The claims could not be written.
    #[error(transparent)]
    Claims(#[from] serde_json::Error),
}

impl From<IssueError> for OAuthError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::NoSigningKey => Self::Unavailable { cause: error.to_string() },
            error => Self::internal(error),
        }
    }
}

impl Signer {
    /// Signs a token of `grant` for an authenticated key.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, by: &Authenticated, grant: Grant<'_>, now: Timestamp) -> Result<Issued, IssueError> {
        let key = &by.cached.key;
        let expires_at = end_of_token(by, now);
        let claims = AccessTokenClaims {
            issuer: &self.issuer,
            subject: &by.cached.client_id,
            client_id: &by.cached.client_id,
            audience: &grant.audience,
            issued_at: now,
            expires_at,
            token_id: "",
            scope: &grant.scope,
            cidrs: &by.cached.cidrs,
            organization: key.organization.as_str(),
            project: key.project.as_str(),
            environment: key.environment.as_str(),
            generation: key.generation,
            actor: None,
            origin: &[],
        };
        self.sign(claims)
    }

    /// Signs a token that says `claims`, but for its id, which is made here.
    ///
    /// # Errors
    /// [`IssueError`].
    pub(super) fn sign(&self, claims: AccessTokenClaims<'_>) -> Result<Issued, IssueError> {
        let token_id = TokenId::generate(&self.entropy)?;
        let mut payload = Vec::with_capacity(512);
        AccessTokenClaims { token_id: token_id.as_str(), ..claims }.write(&mut payload)?;
        let ring = self.keyring.ring();
        let signing = ring.signing(claims.issued_at).ok_or(IssueError::NoSigningKey)?;
        let access_token = signing.signer().sign(&payload)?;
        let expires_in = claims.expires_at.since(claims.issued_at);
        Ok(Issued { access_token, expires_in, scope: claims.scope.to_owned(), token_id })
    }
}

/// When a token that is issued at `now` ends: none outlives its key, or the secret that it was got with.
pub fn end_of_token(by: &Authenticated, now: Timestamp) -> Timestamp {
    let ends = [by.cached.key.expires_at, by.secret_expires_at];
    ends.into_iter().flatten().fold(now.plus(MAX_LIFETIME), Timestamp::min)
}
