//! Reads claims (RFC 9068 §2.2). Every member must have exactly the right type.

use super::{ActorClaim, Claims, MAX_ACTORS, TokenFault};
use crate::base::clock::Timestamp;
use crate::jose::json::{Object, Value};
use crate::jose::jwk::Thumbprint;

impl Claims {
    /// Reads a payload. Unknown members are ignored, so an issuer may be newer than a verifier. `cnf` is the
    /// exception: it says that possession of the token is not enough, so everything in it must be understood.
    ///
    /// This checks neither signature nor issuer, audience, time or who presents the token.
    /// [`verify_access_token`](super::verify_access_token) does.
    ///
    /// # Errors
    /// The [`TokenFault`]s from [`TokenFault::Payload`] to [`TokenFault::Confirmation`].
    pub fn parse(payload: &[u8]) -> Result<Self, TokenFault> {
        let claims = Object::parse(payload).map_err(TokenFault::Payload)?;
        Ok(Self {
            issuer: text(&claims, "iss")?,
            subject: text(&claims, "sub")?,
            client_id: text(&claims, "client_id")?,
            audience: audience(&claims)?,
            issued_at: time(&claims, "iat")?,
            expires_at: time(&claims, "exp")?,
            not_before: claims.get("nbf").map(|_| time(&claims, "nbf")).transpose()?,
            token_id: text(&claims, "jti")?,
            scope: text(&claims, "scope")?,
            cidrs: texts(&claims, "cidrs")?,
            organization: text(&claims, "org")?,
            project: text(&claims, "project")?,
            environment: text(&claims, "env")?,
            generation: generation(&claims)?,
            actor: claims.get("act").map(|act| actor(act, MAX_ACTORS)).transpose()?,
            origin: claims.get("origin").map_or(Ok(Vec::new()), |_| texts(&claims, "origin"))?,
            confirmation: claims.get("cnf").map(confirmation).transpose()?,
        })
    }
}

fn required<'o, 'a>(object: &'o Object<'a>, claim: &'static str) -> Result<&'o Value<'a>, TokenFault> {
    object.get(claim).ok_or(TokenFault::Missing(claim))
}

fn text(object: &Object<'_>, claim: &'static str) -> Result<String, TokenFault> {
    printable(required(object, claim)?).ok_or(TokenFault::NotText(claim))
}

fn texts(object: &Object<'_>, claim: &'static str) -> Result<Vec<String>, TokenFault> {
    printables(required(object, claim)?).ok_or(TokenFault::NotTexts(claim))
}

/// RFC 7519 §4.1.3: a string is short for an array of one.
fn audience(claims: &Object<'_>) -> Result<Vec<String>, TokenFault> {
    let value = required(claims, "aud")?;
    printable(value).map(|one| vec![one]).or_else(|| printables(value)).ok_or(TokenFault::NotAudience)
}

fn time(object: &Object<'_>, claim: &'static str) -> Result<Timestamp, TokenFault> {
    required(object, claim)?.numeric_date().ok_or(TokenFault::NotTime(claim))
}

fn generation(object: &Object<'_>) -> Result<u64, TokenFault> {
    match required(object, "gen")? {
        Value::Integer(generation) => u64::try_from(*generation).map_err(|_| TokenFault::NotGeneration),
        _ => Err(TokenFault::NotGeneration),
    }
}

/// Reads an actor and at most `depth` − 1 actors before it.
fn actor(value: &Value<'_>, depth: usize) -> Result<ActorClaim, TokenFault> {
    let Value::Object(object) = value else {
        return Err(TokenFault::NotActor);
    };
    if depth == 0 {
        return Err(TokenFault::NotActor);
    }
    let earlier = object.get("act").map(|act| actor(act, depth - 1)).transpose()?;
    Ok(ActorClaim {
        subject: text(object, "sub")?,
        generation: generation(object)?,
        earlier: earlier.map(Box::new),
    })
}

/// The key that a token is bound to. RFC 7800 §3.1 has other methods, also beside `jkt` (RFC 8705 §3.1), but nothing here
/// checks what they require.
fn confirmation(value: &Value<'_>) -> Result<Thumbprint, TokenFault> {
    let Value::Object(methods) = value else { return Err(TokenFault::Confirmation) };
    match (methods.iter().count(), methods.get("jkt")) {
        (1, Some(Value::String(thumbprint))) => thumbprint.parse().map_err(|_| TokenFault::Confirmation),
        _ => Err(TokenFault::Confirmation),
    }
}

/// A non-empty string without control characters, which stores and logs handle badly.
fn printable(value: &Value<'_>) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && !has_control(text) => Some(text.clone().into_owned()),
        _ => None,
    }
}

/// Most text is ASCII, where a check of the bytes gives the same answer and takes many at a time.
fn has_control(text: &str) -> bool {
    match text.is_ascii() {
        true => text.bytes().any(|byte| byte.is_ascii_control()),
        false => text.contains(char::is_control),
    }
}

/// An array of at least one such string. The meaning of an empty array would be ambiguous: nothing or everything.
fn printables(value: &Value<'_>) -> Option<Vec<String>> {
    match value {
        Value::Array(values) if !values.is_empty() => values.iter().map(printable).collect(),
        _ => None,
    }
}
