//! Writes claims.

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};

use super::ActorClaim;
use crate::base::clock::Timestamp;
use crate::jose::jwk::Thumbprint;

/// The borrowed claims of a token that is about to be signed. The members are written in the order of the fields.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AccessTokenClaims<'a> {
    /// `iss`: the issuer's URL.
    #[serde(rename = "iss")]
    pub issuer: &'a str,
    /// `sub`: the id of the API key.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// `client_id`: equal to `sub`, unless the token is exchanged.
    pub client_id: &'a str,
    /// `aud`: at least one. A single audience is written as a string (RFC 7519 §4.1.3).
    #[serde(rename = "aud", serialize_with = "one_or_many")]
    pub audience: &'a [&'a str],
    /// `iat`, in Unix seconds.
    #[serde(rename = "iat", serialize_with = "numeric_date")]
    pub issued_at: Timestamp,
    /// `exp`: at most [`MAX_LIFETIME`](super::MAX_LIFETIME) seconds after `iat`.
    #[serde(rename = "exp", serialize_with = "numeric_date")]
    pub expires_at: Timestamp,
    /// `jti`: 128 random bits.
    #[serde(rename = "jti")]
    pub token_id: &'a str,
    /// `scope`: scopes separated by single spaces.
    pub scope: &'a str,
    /// `cidrs`: at least one.
    pub cidrs: &'a [String],
    /// `org`: the id of the organization.
    #[serde(rename = "org")]
    pub organization: &'a str,
    /// `project`: the id of the project.
    pub project: &'a str,
    /// `env`: the slug of the environment.
    #[serde(rename = "env")]
    pub environment: &'a str,
    /// `gen`: the generation of the subject.
    #[serde(rename = "gen")]
    pub generation: u64,
    /// `cnf`, in a token that is bound to a key (RFC 9449 §6.1).
    #[serde(rename = "cnf", serialize_with = "bound_to", skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Thumbprint>,
    /// `act`, in an exchanged token.
    #[serde(rename = "act", skip_serializing_if = "Option::is_none")]
    pub actor: Option<&'a ActorClaim>,
    /// `origin`, in an exchanged token.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub origin: &'a [String],
}

impl AccessTokenClaims<'_> {
    /// Appends the claims to `payload` as JSON.
    ///
    /// # Errors
    /// When `audience` is empty.
    pub fn write(&self, payload: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(payload, self)
    }
}

fn one_or_many<S: Serializer>(audience: &&[&str], serializer: S) -> Result<S::Ok, S::Error> {
    match audience {
        [] => Err(S::Error::custom("a token needs an audience")),
        [one] => serializer.serialize_str(one),
        many => many.serialize(serializer),
    }
}

/// RFC 9449 §6.1: the confirmation method `jkt`.
fn bound_to<S: Serializer>(key: &Option<Thumbprint>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut confirmation = serializer.serialize_map(Some(1))?;
    confirmation.serialize_entry("jkt", key)?;
    confirmation.end()
}

/// RFC 7519 §2: seconds since the Unix epoch.
fn numeric_date<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(moment.unix())
}
