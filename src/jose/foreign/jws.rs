//! Reads and verifies compact JWSs of others.

use std::fmt;

#[cfg(feature = "server")]
use base64::Engine as _;
#[cfg(feature = "server")]
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

use super::{ForeignJwsFault, Header, Jwk};
use crate::jose::jws::{EncodedParts, JwsFault, Parts, UnverifiedJws};

/// The longest encoded header with a public key, in characters. An RSA key of 8,192 bits fits.
const MAX_HEADER_WITH_JWK: usize = 4 * 1024;

/// A well-formed compact JWS of somebody else, with an acceptable header. Nothing in it is trustworthy yet.
#[derive(Clone)]
pub struct Jws<'a> {
    header: Header,
    parts: Parts<'a>,
}

impl<'a> Jws<'a> {
    /// Reads a token in the compact serialization (RFC 7515 §7.1), up to
    /// [`MAX_LENGTH`](crate::jose::jws::UnverifiedJws::MAX_LENGTH) characters.
    ///
    /// # Errors
    /// [`ForeignJwsFault`] names the rule that the token breaks.
    pub fn parse(token: &'a str) -> Result<Self, ForeignJwsFault> {
        let encoded = EncodedParts::split(token)?;
        Ok(Self { header: Header::parse(&encoded.header()?)?, parts: encoded.decode()? })
    }

    /// Reads a token whose header has the public key that it is signed with, as a DPoP proof has (RFC 9449 §4.2). Other
    /// tokens with such a header are refused.
    ///
    /// # Errors
    /// As [`Jws::parse`], and [`ForeignJwsFault::Jwk`].
    pub fn parse_with_jwk(token: &'a str) -> Result<(Self, Jwk), ForeignJwsFault> {
        let encoded = EncodedParts::split_within(UnverifiedJws::MAX_LENGTH, MAX_HEADER_WITH_JWK, token)?;
        let (header, jwk) = Header::parse_with_jwk(&encoded.header()?)?;
        Ok((Self { header, parts: encoded.decode()? }, jwk))
    }

    /// The unverified header, by which the caller chooses the key.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Verifies the signature with a key that [answers to](Jwk::answers_to) the header. Returns the payload.
    ///
    /// # Errors
    /// [`JwsFault::OtherKey`], [`JwsFault::OtherAlgorithm`] or [`JwsFault::Signature`].
    pub fn verify(&self, key: &Jwk) -> Result<&[u8], JwsFault> {
        self.check_key(key)?;
        match key.verify(self.parts.signing_input.as_bytes(), &self.parts.signature) {
            true => Ok(&self.parts.payload),
            false => Err(JwsFault::Signature),
        }
    }

    /// The same by jsonwebtoken, for which `decoding` is the same key.
    #[cfg(feature = "server")]
    pub(super) fn verify_by_jsonwebtoken(
        &self,
        key: &Jwk,
        decoding: &jsonwebtoken::DecodingKey,
    ) -> Result<&[u8], JwsFault> {
        self.check_key(key)?;
        super::provider::install();
        // jsonwebtoken takes the signature encoded. Its only encoding was checked when the token was read.
        let signature = BASE64URL.encode(&self.parts.signature);
        let message = self.parts.signing_input.as_bytes();
        let algorithm = key.algorithm().of_jsonwebtoken();
        match jsonwebtoken::crypto::verify(&signature, message, decoding, algorithm) {
            Ok(true) => Ok(&self.parts.payload),
            Ok(false) | Err(_) => Err(JwsFault::Signature),
        }
    }

    fn check_key(&self, key: &Jwk) -> Result<(), JwsFault> {
        if self.header.algorithm() != key.algorithm() {
            return Err(JwsFault::OtherAlgorithm);
        }
        if key.answers_to(&self.header) { Ok(()) } else { Err(JwsFault::OtherKey) }
    }

    /// The payload before its signature is verified. It may only decide which key to verify with, and never what is
    /// allowed.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.parts.payload
    }
}

/// Shows only the header, because the token is a credential.
impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").field("header", &self.header).finish_non_exhaustive()
    }
}
