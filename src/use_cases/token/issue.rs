//! Builds and signs access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Grant, OAuthError};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::jose::claims::{AccessTokenClaims, MAX_LIFETIME};
use crate::jose::jwk::{SigningFailed, Thumbprint};
use crate::node::{Authenticated, Signer};

/// A new access token.
#[derive(Debug)]
pub struct Issued {
    /// The token as a compact JWS.
    pub access_token: String,
    /// `exp` − `iat`, in seconds.
    pub expires_in: i64,
    /// The scopes of the token, in canonical form.
    pub scope: String,
    /// Whether the token is bound to a key (RFC 9449 §5).
    pub is_bound: bool,
    /// The `jti` of the token.
    pub token_id: TokenId,
}

/// A `jti`: 128 random bits in base64url, so that a collision is practically impossible (RFC 7519 §4.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenId([u8; 22]);

impl TokenId {
    /// The `jti` as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        let mut text = [0; 22];
        // 16 bytes are exactly 22 characters, so the buffer is large enough.
        let _ = URL_SAFE_NO_PAD.encode_slice(entropy.identifier()?, &mut text);
        Ok(Self(text))
    }
}

/// Why no token can be issued. Without an active signing key, the next attempt may succeed. Every other error is the
/// server's fault.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No signing key is active.
    #[error("no signing key is active")]
    NoSigningKey,
    /// The signing operation failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The claims can't be serialized.
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
    /// Signs a token with `grant` for an authenticated key. It is bound to the key with the thumbprint `confirmation`.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(
        &self,
        by: &Authenticated,
        grant: Grant<'_>,
        confirmation: Option<Thumbprint>,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
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
            confirmation,
            actor: None,
            origin: &[],
        };
        self.sign(claims)
    }

    /// Signs a token with `claims`, except that this function generates the `jti`.
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
        let is_bound = claims.confirmation.is_some();
        Ok(Issued { access_token, expires_in, scope: claims.scope.to_owned(), is_bound, token_id })
    }
}

/// The end of a token that is issued at `now`. A token outlives neither its key nor the credential that it was issued for.
pub fn end_of_token(by: &Authenticated, now: Timestamp) -> Timestamp {
    let ends = [by.cached.key.expires_at, by.credential_expires_at];
    ends.into_iter().flatten().fold(now.plus(MAX_LIFETIME), Timestamp::min)
}
