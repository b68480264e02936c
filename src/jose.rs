//! JSON Object Signing and Encryption: strict JSON, keys (RFC 7517) and signatures (RFC 7515), and the documents that
//! are signed: a token's claims (RFC 7519, RFC 9068), the revocation feed, and clients' proofs (RFC 9449).

pub mod assertion;
pub mod claims;
pub mod dpop;
pub mod foreign;
pub(crate) mod json;
pub mod jwk;
pub mod jws;
pub mod pem;
pub mod revocation_feed;
