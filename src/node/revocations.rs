//! What is revoked, and announced to resource servers.

use std::sync::Arc;

use super::{Feed, Freshness, RevokedTokens, Signer, Withdrawals};

/// Whatever kills tokens is remembered, and told to resource servers, for so many seconds: longer than any token
/// lives, and room for clocks that disagree.
pub const REMEMBERED_SECONDS: i64 = 900;

/// All revocations that could still matter to somebody, and the feed that announces them.
#[derive(Debug)]
pub struct Revocations {
    /// Tokens revoked one by one.
    pub tokens: RevokedTokens,
    /// Generations of keys that are over.
    pub withdrawals: Withdrawals,
    /// What resource servers are told of all that.
    pub feed: Feed,
    /// Signs the feed.
    pub(super) signer: Arc<Signer>,
    /// As of when the feed is complete.
    pub(super) freshness: Arc<Freshness>,
}
