//! Keys and signatures of other parties: clients that authenticate with a signed assertion (RFC 7523), holders that
//! prove the possession of a key (RFC 9449), and other issuers.
//!
//! They follow the same strict rules as this issuer's own ([`jws`](super::jws)), with two differences. More algorithms
//! are accepted. A key may have any id or none, because its owner chose it.
//!
//! ```
//! use claviger::jose::foreign::{Algorithm, Jwk, Jws};
//! use claviger::jose::jwk::{self, SigningKey};
//! use claviger::jose::jws::sign_compact;
//!
//! let (key, _) = SigningKey::generate(jwk::Algorithm::Es256)?;
//! let registered = Jwk::parse(&serde_json::to_vec(key.public_jwk())?)?;
//! assert_eq!(registered.algorithm(), Algorithm::Es256);
//!
//! let assertion = sign_compact(&key, "JWT", b"{}")?;
//! let unverified = Jws::parse(&assertion)?;
//! assert!(registered.answers_to(unverified.header()));
//! assert_eq!(unverified.verify(&registered)?, b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod fault;
mod header;
mod jwk;
mod jws;
#[cfg(feature = "server")]
mod pem;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use fault::{ForeignJwkFault, ForeignJwsFault};
pub use header::Header;
pub use jwk::Jwk;
pub use jws::Jws;
#[cfg(feature = "server")]
pub use pem::{PublicPemFault, import_public};
