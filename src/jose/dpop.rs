//! Proofs of possession (DPoP, RFC 9449). A client signs one for each request, with a key that only it has. A token that
//! is bound to that key is of no use to anybody else.
//!
//! [`verify_proof`] checks everything that the proof itself shows. The caller must still let each [`Proof`] be used only
//! once ([`Proof::token_id`]), and compare its key with the one that the token is bound to
//! ([`Presentation::Proven`](super::claims::Presentation::Proven)).
//!
//! ```
//! use claviger::base::clock::Timestamp;
//! use claviger::jose::dpop::{ALGORITHMS, ExpectedProof, PublicUrl, ProofFault, verify_proof};
//!
//! // The example of RFC 9449 §4.1.
//! let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa\
//!              0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6I\
//!              lAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu\
//!              Y29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY\
//!              -FNyJK70nfbV37xRZT3Lg";
//! let target = "https://server.example.com".parse::<PublicUrl>()?.at("/token").ok_or("not a path")?;
//! let expected = ExpectedProof {
//!     method: "POST",
//!     target: &target,
//!     token: None,
//!     algorithms: &ALGORITHMS,
//!     nonces: None,
//!     now: Timestamp::from_unix(1_562_262_616),
//! };
//! let proven = verify_proof(proof, &expected)?;
//! assert_eq!(proven.thumbprint().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
//!
//! let reading = ExpectedProof { method: "GET", ..expected };
//! assert_eq!(verify_proof(proof, &reading).err(), Some(ProofFault::Method));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod proof;
mod target;

pub use fault::ProofFault;
pub use proof::{ExpectedProof, Proof, verify_proof};
pub use target::{PublicUrl, PublicUrlError, TargetUri};

use crate::jose::foreign::Algorithm;

/// The `typ` of a proof (RFC 9449 §4.2).
pub const PROOF_TYPE: &str = "dpop+jwt";

/// How far `iat` may be from now, in seconds, in both directions.
pub const WINDOW: i64 = 60;

/// The longest `jti`, in characters.
pub const MAX_TOKEN_ID: usize = 256;

/// The algorithms of proofs, unless fewer are configured.
pub const ALGORITHMS: [Algorithm; 5] = Algorithm::OF_CLIENTS;

/// The names of algorithms as challenges and metadata list them. Ed25519 has two names (RFC 9864 §2.2), and clients look
/// for either.
pub fn names(algorithms: &[Algorithm]) -> Vec<&'static str> {
    let both = |algorithm: &Algorithm| match algorithm {
        Algorithm::EdDsa => vec!["EdDSA", "Ed25519"],
        other => vec![other.as_str()],
    };
    algorithms.iter().flat_map(both).collect()
}
