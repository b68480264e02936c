//! The three parts of a compact JWS (RFC 7515 §7.1).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

use super::{JwsFault, Part, UnverifiedJws};

/// The decoded parts of a compact JWS, of whatever issuer.
#[derive(Clone)]
pub(in crate::jose) struct Parts<'a> {
    /// The signed text: the encoded header and payload, joined by a full stop (RFC 7515 §5.2).
    pub(in crate::jose) signing_input: &'a str,
    pub(in crate::jose) payload: Vec<u8>,
    pub(in crate::jose) signature: Vec<u8>,
}

/// The parts of a compact JWS before they are decoded. The header is read first, because it may say that the others
/// have another form.
#[derive(Clone, Copy)]
pub(in crate::jose) struct EncodedParts<'a> {
    signing_input: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> EncodedParts<'a> {
    /// Splits a token of at most [`UnverifiedJws::MAX_LENGTH`] characters.
    pub(in crate::jose) fn split(token: &'a str) -> Result<Self, JwsFault> {
        Self::split_up_to(UnverifiedJws::MAX_LENGTH, token)
    }

    /// Splits a token of at most `most` characters.
    pub(in crate::jose) fn split_up_to(most: usize, token: &'a str) -> Result<Self, JwsFault> {
        Self::split_within(most, UnverifiedJws::MAX_HEADER, token)
    }

    /// Splits a token of at most `most` characters, of which the header has at most `most_of_header`.
    pub(in crate::jose) fn split_within(
        most: usize,
        most_of_header: usize,
        token: &'a str,
    ) -> Result<Self, JwsFault> {
        if token.len() > most {
            return Err(JwsFault::TooLong);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsFault::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsFault::Parts)?;
        if payload.contains('.') {
            return Err(JwsFault::Parts);
        }
        if header.len() > most_of_header {
            return Err(JwsFault::HeaderTooLong);
        }
        Ok(Self { signing_input, header, payload, signature })
    }

    /// The text of the header.
    pub(in crate::jose) fn header(self) -> Result<Vec<u8>, JwsFault> {
        Part::Header.decode(self.header)
    }

    /// The other parts.
    pub(in crate::jose) fn decode(self) -> Result<Parts<'a>, JwsFault> {
        Ok(Parts {
            signing_input: self.signing_input,
            payload: Part::Payload.decode(self.payload)?,
            signature: Part::Signature.decode(self.signature)?,
        })
    }
}

impl Part {
    /// RFC 7515 §2 allows no padding and no other characters. A second spelling of the same bytes would be a second
    /// token, so the engine refuses padding and nonzero bits after the last byte.
    pub(super) fn decode(self, text: &str) -> Result<Vec<u8>, JwsFault> {
        BASE64URL.decode(text).map_err(|_| JwsFault::Base64(self))
    }
}
