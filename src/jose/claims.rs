//! The claims of access tokens (RFC 9068): writing, reading and verifying them.
//!
//! [`AccessTokenClaims`] writes the claims, and [`Claims`] is what a token contains. [`verify_access_token`] is the
//! only way from the text of a token to [`Claims`] that are safe to act on. The caller supplies time, issuer,
//! audience and keys.
//!
//! ```
//! use claviger::base::clock::Timestamp;
//! use claviger::jose::claims::{
//!     ACCESS_TOKEN_TYPE, AccessTokenClaims, Audience, Leeway, Presentation, Rules, TokenFault, verify_access_token,
//! };
//! use claviger::jose::jwk::{Algorithm, SigningKey, VerifyingKey};
//! use claviger::jose::jws::sign_compact;
//!
//! let now = Timestamp::from_unix(1_800_000_000);
//! let claims = AccessTokenClaims {
//!     issuer: "https://auth.example.com",
//!     subject: "key_4f2aA1b2C3d4E5f6",
//!     client_id: "key_4f2aA1b2C3d4E5f6",
//!     audience: &["https://api.example.com"],
//!     issued_at: now,
//!     expires_at: now.plus(600),
//!     token_id: "3q2-7wAAAAAAAAAAAAAAAA",
//!     scope: "read:invoices/*",
//!     cidrs: &["203.0.113.0/24".to_owned()],
//!     organization: "acme",
//!     project: "default",
//!     environment: "prd",
//!     generation: 0,
//!     confirmation: None,
//!     actor: None,
//!     origin: &[],
//! };
//! let (key, _) = SigningKey::generate(Algorithm::Es256)?;
//! let mut payload = Vec::new();
//! claims.write(&mut payload)?;
//! let token = sign_compact(&key, ACCESS_TOKEN_TYPE, &payload)?;
//!
//! let audience = Audience::OneOf(&["https://api.example.com"]);
//! let mut rules = Rules {
//!     issuer: "https://auth.example.com",
//!     audience,
//!     presentation: Presentation::Bearer,
//!     now,
//!     leeway: Leeway::NONE,
//! };
//! let keys = [VerifyingKey::from(key.public_jwk().clone())];
//! let key_for = |kid: &str| keys.iter().find(|key| key.kid() == kid);
//! assert_eq!(verify_access_token(&token, key_for, &rules)?.organization, "acme");
//! rules.now = now.plus(600);
//! assert_eq!(verify_access_token(&token, key_for, &rules), Err(TokenFault::Expired));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod issue;
mod parse;
mod presentation;
mod verify;

use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::scope::Scopes;
use crate::jose::jwk::Thumbprint;

pub use fault::TokenFault;
pub use issue::AccessTokenClaims;
pub use presentation::Presentation;
#[cfg(feature = "server")]
pub(crate) use verify::authentic_claims;
pub use verify::{Audience, Leeway, Rules, verify_access_token};

/// The `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The longest lifetime of a token: `exp` − `iat`, in seconds.
pub const MAX_LIFETIME: i64 = 600;

/// The maximum depth of `act`: the current actor and three before it.
pub const MAX_ACTORS: usize = 4;

/// The claims of an access token, all present and of the right types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// `iss`: the issuer, exactly as it is configured there.
    pub issuer: String,
    /// `sub`: the id of the API key whose rights the token carries.
    pub subject: String,
    /// `client_id`: the key that requested the token. It equals `sub` unless the token was exchanged (RFC 8693 §4.3).
    pub client_id: String,
    /// `aud`: the resource servers that the token is for, at least one.
    pub audience: Vec<String>,
    /// `iat`: when the token was issued.
    pub issued_at: Timestamp,
    /// `exp`: the first second at which the token is no longer valid.
    pub expires_at: Timestamp,
    /// `nbf`: the first second at which the token is valid. This issuer never sets it, but verifiers obey it.
    pub not_before: Option<Timestamp>,
    /// `jti`: the id of the token, by which it is revoked.
    pub token_id: String,
    /// `scope`: scopes separated by single spaces (RFC 6749 §3.3).
    pub scope: String,
    /// `cidrs`: the ranges from which the token may be used, at least one.
    pub cidrs: Vec<String>,
    /// `org`: the id of the organization.
    pub organization: String,
    /// `project`: the id of the project.
    pub project: String,
    /// `env`: the slug of the environment.
    pub environment: String,
    /// `gen`: the generation of the subject when the token was issued.
    pub generation: u64,
    /// `cnf`: the thumbprint of the key that the token is bound to (RFC 9449 §6.1). Whoever presents the token has to prove
    /// that they have that key. `None` in a token for whoever has it.
    pub confirmation: Option<Thumbprint>,
    /// `act`: who acts for the subject, in an exchanged token (RFC 8693 §4.1).
    pub actor: Option<ActorClaim>,
    /// `origin`: the `jti`s of the tokens that an exchanged token came from. Empty in others.
    pub origin: Vec<String>,
}

impl Claims {
    /// Parses `scope` and `cidrs`: what the token allows, and from where.
    ///
    /// # Errors
    /// [`TokenFault::NotText`] or [`TokenFault::NotTexts`] if one of them is malformed.
    pub fn rights(&self) -> Result<(Scopes, Cidrs), TokenFault> {
        let scopes = Scopes::parse_list(&self.scope).map_err(|_| TokenFault::NotText("scope"))?;
        let cidrs = Cidrs::parse(self.cidrs.iter().map(String::as_str));
        Ok((scopes, cidrs.map_err(|_| TokenFault::NotTexts("cidrs"))?))
    }
}

/// A key that acts for the subject of an exchanged token (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActorClaim {
    /// The id of the acting API key.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The generation of that key when the token was issued.
    #[serde(rename = "gen")]
    pub generation: u64,
    /// The actor before this one.
    #[serde(rename = "act", skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Box<ActorClaim>>,
}

impl ActorClaim {
    /// This actor and those before it, latest first.
    pub fn chain(&self) -> impl Iterator<Item = &ActorClaim> {
        std::iter::successors(Some(self), |actor| actor.earlier.as_deref())
    }
}
