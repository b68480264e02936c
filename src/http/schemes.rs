//! The schemes that challenges name (RFC 6750 §3, RFC 9449 §7.1).

use axum::http::{HeaderMap, header};

use crate::use_cases::management::ApiError;

/// What a challenge says to the sender of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schemes<'a> {
    /// The issuer.
    pub(crate) realm: &'a str,
    /// The algorithms of proofs of possession, separated by spaces.
    pub(crate) algorithms: &'a str,
    /// Whether the request came with the scheme DPoP.
    pub(crate) is_dpop: bool,
}

impl Schemes<'_> {
    /// A challenge with these parameters after the realm. It is for the scheme with which the request came. A token that is
    /// bound to a key needs the scheme DPoP, whatever it came with, and so does a key that gets only such tokens.
    pub(crate) fn challenge(&self, error: &ApiError, parameters: &str) -> String {
        let Self { realm, algorithms, is_dpop } = self;
        let needs_dpop =
            matches!(error, ApiError::TokenBinding(_) | ApiError::InvalidProof(_) | ApiError::ProofRequired);
        match *is_dpop || needs_dpop {
            true => format!(r#"DPoP realm="{realm}", algs="{algorithms}"{parameters}"#),
            false => format!(r#"Bearer realm="{realm}"{parameters}"#),
        }
    }
}

/// Whether the credential in these headers has the scheme DPoP (RFC 9110 §11.1: in any case).
pub(crate) fn is_dpop(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let scheme = value.and_then(|value| value.split(|byte| *byte == b' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop"))
}
