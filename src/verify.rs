//! For resource servers: verifies access tokens offline, follows revocations within seconds, and guards routes.
//!
//! A [`Verifier`] is for one issuer and one audience. It reads the issuer's metadata and keys, and follows the issuer's
//! revocation feed in the background. It answers two questions: who is the caller ([`Verifier::verify`]), and what may
//! they do ([`Access::require`]). [`Verifier::layer`] answers both in front of an axum router or any other tower
//! service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use claviger::verify::{CallerAddress, Verb, Verifier};
//!
//! let verifier = Verifier::builder("https://auth.example.com", "https://api.example.com")
//!     .any_organization()
//!     .environments(["prd"])
//!     .build()?;
//! verifier.ready().await;
//! let access = verifier.verify("eyJhbGciOi…", CallerAddress::Known("203.0.113.7".parse()?)).await?;
//! access.require(Verb::Read, "orders/7")?;
//! println!("{} of {} reads", access.subject(), access.organization());
//! # Ok(())
//! # }
//! ```
//!
//! A verifier that has not received anything from the issuer for longer than [`MAX_STALE_SECONDS`] refuses every token,
//! unless [`WhenStale`] is set otherwise.

mod access;
mod api_keys;
mod background;
mod builder;
mod challenge;
mod denied;
mod extract;
mod feed_state;
mod follow_feed;
mod issuer_keys;
mod layer;
mod metadata;
mod metrics;
mod proofs;
mod refusal;
mod resource_metadata;
mod settings;
mod shared;
mod verifier;

pub use crate::domain::address::CallerAddress;
pub use crate::domain::credential::{Credential, CredentialFault};
pub use crate::domain::scope::Verb;
pub use crate::jose::foreign::Algorithm as ProofAlgorithm;
pub use crate::jose::revocation_feed::MAX_STALE_SECONDS;
pub use access::Access;
pub use builder::{BuildError, Builder, ChooseEnvironments, ChooseOrganizations};
pub use denied::Denied;
pub use extract::NoVerifier;
pub use layer::{Guard, Protect};
pub use metrics::Metrics;
pub use proofs::RequestLine;
pub use refusal::{KeyFault, Refusal, Unavailable};
pub use resource_metadata::ResourceMetadata;
pub use settings::{ApiKeys, WhenStale};
pub use verifier::Verifier;
