//! The revocation feed: what it is called, what it says, and what a follower makes of one document after the other.
//! The server signs it, verifiers follow it.

mod document;
mod tracker;

pub use document::{Document, FeedFault, verify_document};
pub use tracker::{CurrentDocument, FeedTracker, FeedUpdate};

/// `typ` of the document. One that has to be read in another way would have another type.
pub const FEED_TYPE: &str = "revocations+jwt";

/// `aud` of the document: whoever verifies tokens of this issuer.
pub const FEED_AUDIENCE: &str = "urn:claviger:revocations";

/// What is in memory may be relied on for so many seconds after the store last confirmed it.
pub const MAX_STALE_SECONDS: i64 = 30;
