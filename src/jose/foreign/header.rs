//! The protected header of a token of somebody else (RFC 7515 §4).

use super::{Algorithm, ForeignJwsFault, Jwk};
use crate::jose::json::{Object, Value};
use crate::jose::jwk::JwkFault;
use crate::jose::jws::JwsFault;
use crate::jose::jws::header::{kid, refuse_parameters, typ};

/// A header that follows all rules. It is still only a claim until the signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, ForeignJwsFault> {
        let object = Object::parse(json).map_err(JwsFault::Header)?;
        refuse_parameters(&object, None)?;
        Self::from_object(&object)
    }

    /// Reads the header of a proof, which has the public key beside it (RFC 9449 §4.2).
    pub(super) fn parse_with_jwk(json: &[u8]) -> Result<(Self, Jwk), ForeignJwsFault> {
        let object = Object::parse(json).map_err(JwsFault::Header)?;
        refuse_parameters(&object, Some("jwk"))?;
        // The key itself is here, so an id chooses nothing.
        let header = Self { kid: None, ..Self::from_object(&object)? };
        let jwk = match object.get("jwk") {
            Some(Value::Object(jwk)) => Jwk::from_object(jwk, Some(header.algorithm)),
            _ => Err(JwkFault::Missing("jwk").into()),
        };
        Ok((header, jwk.map_err(ForeignJwsFault::Jwk)?))
    }

    fn from_object(object: &Object<'_>) -> Result<Self, ForeignJwsFault> {
        let algorithm = match object.get("alg") {
            Some(Value::String(name)) => name.parse().map_err(|_| ForeignJwsFault::Algorithm)?,
            _ => return Err(ForeignJwsFault::Algorithm),
        };
        let kid = object.has("kid").then(|| kid(object)).transpose()?;
        Ok(Self { algorithm, kid, typ: typ(object)? })
    }

    /// The algorithm in `alg`.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id of the key, in `kid`. RFC 7515 §4.1.4 leaves it optional.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the token has one of these media types, without the prefix `application/`. RFC 7515 §4.1.9: case doesn't
    /// matter, and the prefix may be present.
    pub fn is_one_of(&self, subtypes: &[&str]) -> bool {
        let typ = self.typ.as_deref();
        typ.is_some_and(|typ| subtypes.iter().any(|subtype| crate::jose::jws::header::is_type(typ, subtype)))
    }

    /// Whether the token has a type at all.
    pub fn has_type(&self) -> bool {
        self.typ.is_some()
    }
}
