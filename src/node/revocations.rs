//! What is revoked, and announced to resource servers.

use std::sync::Arc;

use super::{Feed, Freshness, RevokedTokens, Signer, Withdrawals};

/// How long a revocation is kept and announced to resource servers, in seconds: longer than any token lives, with a
/// margin for clocks that differ.
pub const REMEMBERED_SECONDS: i64 = 900;

/// All revocations that may still matter, and the feed that announces them.
#[derive(Debug)]
pub struct Revocations {
    /// The tokens that were revoked individually.
    pub tokens: RevokedTokens,
    /// The generations of keys that are no longer valid.
    pub withdrawals: Withdrawals,
    /// The document that resource servers follow.
    pub feed: Feed,
    /// The issuer and the signing keys of the feed.
    pub(super) signer: Arc<Signer>,
    /// As of when the feed is complete.
    pub(super) freshness: Arc<Freshness>,
}
