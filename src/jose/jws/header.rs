//! The protected header (RFC 7515 §4).

use super::JwsFault;
use crate::jose::json::{Object, Value};
use crate::jose::jwk::Algorithm;

/// The longest `kid`, in bytes.
const MAX_KID: usize = 128;

/// Parameters whose presence alone refuses a token: no token of this project has them, and whoever sends one
/// hopes that somebody obeys it.
///
/// The first four bring a key along or say where to fetch one (RFC 7515 §4.1.2, §4.1.3, §4.1.5, §4.1.6),
/// which RFC 8725 §3.10 warns of; the others change how the payload is read (RFC 7797 §3, RFC 7516 §4.1.2,
/// §4.1.3).
const REFUSED: [&str; 7] = ["jku", "jwk", "x5u", "x5c", "b64", "enc", "zip"];

/// What a header says, once it has been found acceptable. It is still only a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    alg: Algorithm,
    kid: String,
    typ: Option<String>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, JwsFault> {
        let object = Object::parse(json).map_err(JwsFault::Header)?;
        refuse_parameters(&object)?;
        Ok(Self { alg: alg(&object)?, kid: kid(&object)?, typ: typ(&object)? })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.alg
    }

    /// The id of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The media type as it stands in the header.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Whether the token is of the type `application/{subtype}`. RFC 7515 §4.1.9: case does not matter, and
    /// the prefix may be left out.
    pub fn is_type(&self, subtype: &str) -> bool {
        const PREFIX: &str = "application/";
        let Some(typ) = self.typ() else { return false };
        let bare = match typ.split_at_checked(PREFIX.len()) {
            Some((prefix, bare)) if prefix.eq_ignore_ascii_case(PREFIX) => bare,
            _ => typ,
        };
        bare.eq_ignore_ascii_case(subtype)
    }
}

fn refuse_parameters(header: &Object<'_>) -> Result<(), JwsFault> {
    // RFC 7515 §4.1.11: no extension is understood, so whatever `crit` lists is fatal, and so is an empty
    // list.
    if header.has("crit") {
        return Err(JwsFault::Critical);
    }
    match REFUSED.into_iter().find(|name| header.has(name)) {
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

/// RFC 7515 §4.1.4 leaves it optional; without it somebody would have to try keys, so it is required here.
fn kid(header: &Object<'_>) -> Result<String, JwsFault> {
    match header.get("kid") {
        Some(Value::String(kid)) if (1..=MAX_KID).contains(&kid.len()) => Ok(kid.clone().into_owned()),
        _ => Err(JwsFault::Kid),
    }
}

fn typ(header: &Object<'_>) -> Result<Option<String>, JwsFault> {
    match header.get("typ") {
        Some(Value::String(typ)) => Ok(Some(typ.clone().into_owned())),
        Some(_) => Err(JwsFault::Typ),
        None => Ok(None),
    }
}
