//! Compact JSON Web Signatures (RFC 7515): signing, and strict reading.
//!
//! Input is an [`UnverifiedJws`] until a key has verified it. Only the resulting [`VerifiedJws`] reveals its payload.
//! A header claims a key and an algorithm, but can't widen the choice: the verifier supplies the key, and each key
//! has one algorithm. Parameters that would supply a key, fetch one or change how the payload is read are refused.
//!
//! ```
//! use claviger::jose::jwk::{Algorithm, SigningKey};
//! use claviger::jose::jws::{UnverifiedJws, sign_compact};
//!
//! let (key, _) = SigningKey::generate(Algorithm::EdDsa)?;
//! let token = sign_compact(&key, "example+jwt", b"{}")?;
//!
//! let unverified = UnverifiedJws::parse(&token)?;
//! assert!(unverified.header().is_type("example+jwt"));
//! let verified = unverified.verify(&key.public_jwk().clone().into())?;
//! assert_eq!(verified.payload(), b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
pub(in crate::jose) mod header;
mod parts;
mod sign;
mod verify;

pub use fault::{JwsFault, Part};
pub use header::Header;
pub(in crate::jose) use parts::{EncodedParts, Parts};
pub use sign::{CompactSigner, sign_compact};
pub use verify::{UnverifiedJws, VerifiedJws};
