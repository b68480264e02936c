//! What an access token says (RFC 9068), and when it may be believed.
//!
//! [`AccessTokenClaims`] writes it, [`Claims`] is what came out of a token, and [`verify_access_token`] is
//! the one way from a token's text to [`Claims`] that can be acted on. Time, issuer, audience and keys are
//! given by the caller.

mod fault;
mod issue;
mod parse;
mod verify;

use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::scope::Scopes;

pub use fault::TokenFault;
pub use issue::AccessTokenClaims;
#[cfg(feature = "server")]
pub(crate) use verify::authentic_claims;
pub use verify::{Audience, Leeway, Rules, verify_access_token};

/// The `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The longest that a token may live: `exp` − `iat`, in seconds.
pub const MAX_LIFETIME: i64 = 600;

/// How deep `act` may nest: the current actor and three before it.
pub const MAX_ACTORS: usize = 4;

/// The claims of an access token, all present and of the right types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// `iss`: the issuer, exactly as configured there.
    pub issuer: String,
    /// `sub`: the id of the API key whose rights these are.
    pub subject: String,
    /// `client_id`: who asked for the token; the subject unless the token was exchanged (RFC 8693 §4.3).
    pub client_id: String,
    /// `aud`: the resource servers that it is for, at least one.
    pub audience: Vec<String>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`: the first second at which it is no longer good.
    pub expires_at: Timestamp,
    /// `nbf`, which this issuer never sets but which is obeyed.
    pub not_before: Option<Timestamp>,
    /// `jti`: the token's own id, by which it is revoked.
    pub token_id: String,
    /// `scope`: scope tokens with single spaces between them (RFC 6749 §3.3).
    pub scope: String,
    /// `cidrs`: the ranges from which it may be used, at least one.
    pub cidrs: Vec<String>,
    /// `org`: the organization's id.
    pub organization: String,
    /// `project`: the project's id.
    pub project: String,
    /// `env`: the environment's slug.
    pub environment: String,
    /// `gen`: the subject's generation when the token was made.
    pub generation: u64,
    /// `act`: who acts for the subject, in an exchanged token (RFC 8693 §4.1).
    pub actor: Option<ActorClaim>,
    /// `origin`: the `jti`s of the tokens that an exchanged one came from; empty in others.
    pub origin: Vec<String>,
}

impl Claims {
    /// What the token allows, and from where: `scope` and `cidrs`.
    ///
    /// # Errors
    /// [`TokenFault::NotText`] and [`TokenFault::NotTexts`], where one of them can't be read.
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
    /// That key's generation when the token was made.
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
