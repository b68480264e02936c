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

#[cfg(feature = "server")]
mod abilities;
mod algorithm;
#[cfg(feature = "server")]
mod claims;
#[cfg(feature = "server")]
mod discovery;
mod fault;
mod header;
#[cfg(feature = "server")]
mod id_token;
mod jwk;
mod jwk_set;
mod jws;
#[cfg(feature = "server")]
mod key_set;
#[cfg(feature = "server")]
mod pem;
#[cfg(feature = "server")]
pub mod provider;
#[cfg(feature = "server")]
mod second_opinion;

#[cfg(feature = "server")]
pub use abilities::ProviderAbilities;
pub use algorithm::{Algorithm, UnknownAlgorithm};
#[cfg(feature = "server")]
pub use claims::{IssuerClaims, IssuerClaimsFault, LEEWAY, claimed_issuer};
#[cfg(feature = "server")]
pub use discovery::{DiscoveryFault, ProviderMetadata, key_set_url};
pub use fault::{ForeignJwkFault, ForeignJwsFault};
pub use header::Header;
#[cfg(feature = "server")]
pub use id_token::{ExpectedIdToken, GroupsFault, IdTokenClaims, IdTokenFault};
pub use jwk::Jwk;
pub use jwk_set::{JwkSet, JwkSetFault};
pub use jws::Jws;
#[cfg(feature = "server")]
pub use key_set::{IssuerKey, KeySet};
#[cfg(feature = "server")]
pub use pem::{PublicPemFault, import_public};
#[cfg(feature = "server")]
pub use second_opinion::{Disagreement, second_opinion};
