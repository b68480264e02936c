//! Compact JSON Web Signatures (RFC 7515): making them, and reading them strictly.
//!
//! What comes from outside is an [`UnverifiedJws`] until a key has verified it; only the [`VerifiedJws`] that
//! this gives has a payload. A header says which key and algorithm it claims, and nothing that it says widens
//! the choice: the verifier brings the key, the key has one algorithm, and parameters that would bring a key
//! along, fetch one, or change how the payload is read are refused outright.

mod fault;
mod header;
mod sign;
mod verify;

pub use fault::{JwsFault, Part};
pub use header::Header;
pub use sign::{CompactSigner, sign_compact};
pub use verify::{UnverifiedJws, VerifiedJws};
