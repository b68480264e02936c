//! Reads and verifies compact JWSs.

use std::fmt;

use super::{EncodedParts, Header, JwsFault, Parts};
use crate::jose::jwk::VerifyingKey;

/// A well-formed compact JWS with an acceptable header. Nothing in it is trustworthy yet.
#[derive(Clone)]
pub struct UnverifiedJws<'a> {
    header: Header,
    parts: Parts<'a>,
}

impl<'a> UnverifiedJws<'a> {
    /// The length in characters beyond which a token is refused.
    pub const MAX_LENGTH: usize = 16 * 1024;

    /// The length in characters beyond which an encoded header is refused.
    pub const MAX_HEADER: usize = 1024;

    /// Reads a token in the compact serialization (RFC 7515 §7.1).
    ///
    /// # Errors
    /// [`JwsFault`] names the rule that the token breaks.
    pub fn parse(token: &'a str) -> Result<Self, JwsFault> {
        Self::parse_up_to(Self::MAX_LENGTH, token)
    }

    /// Like [`UnverifiedJws::parse`], with a limit of `most` characters.
    ///
    /// # Errors
    /// As [`UnverifiedJws::parse`].
    pub fn parse_up_to(most: usize, token: &'a str) -> Result<Self, JwsFault> {
        let encoded = EncodedParts::split_up_to(most, token)?;
        Ok(Self { header: Header::parse(&encoded.header()?)?, parts: encoded.decode()? })
    }

    /// The payload of a token that [`UnverifiedJws::verify`] has accepted before. The caller must know that, and
    /// check that the key is still valid.
    #[cfg(feature = "server")]
    pub(crate) fn payload_of_verified(token: &str) -> Result<Vec<u8>, JwsFault> {
        let payload = token.split('.').nth(1).ok_or(JwsFault::Parts)?;
        super::Part::Payload.decode(payload)
    }

    /// The unverified header, by which the caller chooses the key.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Verifies the signature with the key that the header names.
    ///
    /// # Errors
    /// [`JwsFault::OtherKey`], [`JwsFault::OtherAlgorithm`] or [`JwsFault::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<VerifiedJws<'_>, JwsFault> {
        if self.header.kid() != key.kid() {
            return Err(JwsFault::OtherKey);
        }
        if self.header.algorithm() != key.algorithm() {
            return Err(JwsFault::OtherAlgorithm);
        }
        if !key.verify(self.parts.signing_input.as_bytes(), &self.parts.signature) {
            return Err(JwsFault::Signature);
        }
        Ok(VerifiedJws { header: &self.header, payload: &self.parts.payload })
    }
}

/// Shows only the header, because the token is a credential.
impl fmt::Debug for UnverifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJws").field("header", &self.header).finish_non_exhaustive()
    }
}

/// The header and the payload of a JWS whose signature is verified.
#[derive(Clone, Copy)]
pub struct VerifiedJws<'u> {
    header: &'u Header,
    payload: &'u [u8],
}

impl<'u> VerifiedJws<'u> {
    /// The verified header.
    pub fn header(&self) -> &'u Header {
        self.header
    }

    /// The verified payload, decoded.
    pub fn payload(&self) -> &'u [u8] {
        self.payload
    }
}

impl fmt::Debug for VerifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws").field("header", self.header).finish_non_exhaustive()
    }
}
