//! The revocation feed: its constants, its documents, and what a follower derives from a series of them. The server
//! signs the feed, and verifiers follow it.

mod document;
mod tracker;

pub use document::{Document, FeedFault, verify_document};
pub use tracker::{CurrentDocument, FeedTracker, FeedUpdate};

/// The `typ` of a document. A document that must be read in another way would have another type.
pub const FEED_TYPE: &str = "revocations+jwt";

/// The `aud` of a document: everyone who verifies tokens of this issuer.
pub const FEED_AUDIENCE: &str = "urn:claviger:revocations";

/// How many seconds data in memory stays valid after the store last confirmed it.
pub const MAX_STALE_SECONDS: i64 = 30;
