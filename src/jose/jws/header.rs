//! The protected header (RFC 7515 §4).

use super::JwsFault;
use crate::jose::json::{Object, Value};
use crate::jose::jwk::Algorithm;

/// The longest `kid`, in bytes.
const MAX_KID: usize = 128;

/// Parameters whose presence alone refuses a token. No token of this project has them, so their only use is an
/// attack.
///
/// The first four supply a key or say where to fetch one (RFC 7515 §4.1.2, §4.1.3, §4.1.5, §4.1.6), against which RFC
/// 8725 §3.10 warns. The others change how the payload is read (RFC 7797 §3, RFC 7516 §4.1.2, §4.1.3).
const REFUSED: [&str; 7] = ["jku", "jwk", "x5u", "x5c", "b64", "enc", "zip"];

/// A header that follows all rules. It is still only a claim until the signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    alg: Algorithm,
    kid: String,
    typ: Option<String>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, JwsFault> {
        let object = Object::parse(json).map_err(JwsFault::Header)?;
        refuse_parameters(&object, None)?;
        Ok(Self { alg: alg(&object)?, kid: kid(&object)?, typ: typ(&object)? })
    }

    /// The algorithm in `alg`.
    pub fn algorithm(&self) -> Algorithm {
        self.alg
    }

    /// The id of the key, in `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The media type in `typ`, unchanged.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Whether the token has the type `application/{subtype}`. RFC 7515 §4.1.9: case doesn't matter, and the prefix
    /// may be absent.
    pub fn is_type(&self, subtype: &str) -> bool {
        self.typ().is_some_and(|typ| is_type(typ, subtype))
    }
}

/// Whether `typ` is the media type `application/{subtype}`.
pub(in crate::jose) fn is_type(typ: &str, subtype: &str) -> bool {
    const PREFIX: &str = "application/";
    let bare = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, bare)) if prefix.eq_ignore_ascii_case(PREFIX) => bare,
        _ => typ,
    };
    bare.eq_ignore_ascii_case(subtype)
}

/// Refuses what no token may have, except for the parameter that this kind of token needs.
pub(in crate::jose) fn refuse_parameters(header: &Object<'_>, needed: Option<&str>) -> Result<(), JwsFault> {
    // RFC 7515 §4.1.11: no extension is supported, so any `crit` is an error, even an empty list.
    if header.has("crit") {
        return Err(JwsFault::Critical);
    }
    match REFUSED.into_iter().find(|name| header.has(name) && needed != Some(name)) {
        Some(name) => Err(JwsFault::Parameter(name)),
        None => Ok(()),
    }
}

fn alg(header: &Object<'_>) -> Result<Algorithm, JwsFault> {
    match header.get("alg") {
        Some(Value::String(name)) => name.parse().map_err(|_| JwsFault::Algorithm),
        _ => Err(JwsFault::Algorithm),
    }
}

/// RFC 7515 §4.1.4 leaves `kid` optional. It is required here, so that no verifier has to try keys.
pub(in crate::jose) fn kid(header: &Object<'_>) -> Result<String, JwsFault> {
    match header.get("kid") {
        Some(Value::String(kid)) if (1..=MAX_KID).contains(&kid.len()) => Ok(kid.clone().into_owned()),
        _ => Err(JwsFault::Kid),
    }
}

pub(in crate::jose) fn typ(header: &Object<'_>) -> Result<Option<String>, JwsFault> {
    match header.get("typ") {
        Some(Value::String(typ)) => Ok(Some(typ.clone().into_owned())),
        Some(_) => Err(JwsFault::Typ),
        None => Ok(None),
    }
}
