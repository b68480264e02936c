//! The revocation feed: what offline verifiers have to hear, as one signed document that all of them share.
//!
//! Its content is what this node has taken in from the store up to one change number, so that two nodes at the
//! same number say the same. It is put together when something has changed, and signed again when the store has
//! been confirmed since: at most once a second, however many ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::Node;
use super::revocations::REMEMBERED_SECONDS;
use crate::clock::Timestamp;
use crate::entity_tag::EntityTags;
use crate::jwk::SigningFailed;
use crate::jws::sign_compact;
use crate::revocation_feed::{FEED_AUDIENCE, FEED_TYPE, MAX_STALE_SECONDS};
use crate::store::Position;

/// What the feed says, and the last document that said it.
#[derive(Debug)]
pub struct Feed {
    content: watch::Sender<Arc<Content>>,
    signed: Mutex<Option<Signed>>,
    /// Whether nobody is kept waiting any more.
    is_closing: AtomicBool,
}

/// Why there is no document. All of it is the server's fault.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// There is no key to sign with.
    #[error("there is no signing key that is not withdrawn or superseded")]
    NoSigningKey,
    /// The signature failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The document could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What is known up to one change.
#[derive(Debug, Default, Serialize)]
struct Content {
    epoch: String,
    seq: i64,
    /// The change since which the feed says this.
    #[serde(skip)]
    said_since: i64,
    keys: BTreeMap<String, u64>,
    jtis: Vec<Box<str>>,
    kids: Vec<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    iss: &'a str,
    aud: &'static str,
    iat: i64,
    as_of: i64,
    max_stale: i64,
    #[serde(flatten)]
    content: &'a Content,
}

#[derive(Debug)]
struct Signed {
    content: Arc<Content>,
    as_of: Timestamp,
    kid: String,
    document: Arc<str>,
}

impl Default for Feed {
    fn default() -> Self {
        let content = watch::Sender::new(Arc::default());
        Self { content, signed: Mutex::default(), is_closing: AtomicBool::default() }
    }
}

impl Feed {
    /// Answers everybody who waits, and keeps nobody waiting from now on: the server is about to end.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.content.send_modify(|_| {});
    }

    /// Whether it is what is known at this position.
    pub(super) fn is_of(&self, position: &Position) -> bool {
        let content = self.content.borrow();
        content.seq == position.last && Some(&content.epoch) == position.epoch.as_ref()
    }
}

impl Content {
    /// Names what is said, and not how long ago it was confirmed.
    fn etag(&self) -> String {
        format!("\"{}.{}\"", self.epoch, self.said_since)
    }

    /// Whether a verifier would have nothing else to refuse.
    fn says_as(&self, other: &Self) -> bool {
        self.epoch == other.epoch
            && self.keys == other.keys
            && self.jtis == other.jtis
            && self.kids == other.kids
    }
}

impl Node {
    /// Puts the feed together from what memory holds at `position`. Those who wait are woken when it says
    /// something else than before.
    pub(super) fn publish(&self, position: &Position, now: Timestamp) {
        let since = now.plus(-REMEMBERED_SECONDS);
        let ring = self.keyring.ring();
        let withdrawn = ring.keys().iter().filter(|key| key.withdrawn_at.is_some_and(|at| at >= since));
        let mut jtis = self.revoked_tokens.ids();
        jtis.sort_unstable();
        let mut content = Content {
            said_since: position.last,
            epoch: position.epoch.clone().unwrap_or_default(),
            seq: position.last,
            keys: self.withdrawals.all().into_iter().map(|(key, least)| (key.to_string(), least)).collect(),
            jtis,
            kids: withdrawn.map(|key| key.kid().to_owned()).collect(),
        };
        self.feed.content.send_if_modified(|held| {
            let is_news = !held.says_as(&content);
            if !is_news {
                content.said_since = held.said_since;
            }
            *held = Arc::new(content);
            is_news
        });
    }

    /// The document as it is now, and the name of what it says.
    ///
    /// # Errors
    /// [`FeedError`].
    pub fn revocations(&self, now: Timestamp) -> Result<(Arc<str>, String), FeedError> {
        let content = Arc::clone(&self.feed.content.borrow());
        let etag = content.etag();
        let as_of = self.freshness.as_of();
        let ring = self.keyring.ring();
        let signing = ring.signing(now).ok_or(FeedError::NoSigningKey)?;
        let mut signed = self.feed.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = signed.as_ref().filter(|held| {
            Arc::ptr_eq(&held.content, &content) && held.as_of == as_of && held.kid == signing.kid()
        }) {
            return Ok((Arc::clone(&held.document), etag));
        }
        let document = Document {
            iss: &self.deployment.issuer,
            aud: FEED_AUDIENCE,
            iat: now.unix(),
            as_of: as_of.unix(),
            max_stale: MAX_STALE_SECONDS,
            content: &content,
        };
        let payload = serde_json::to_vec(&document)?;
        let document: Arc<str> = sign_compact(signing.signer().key(), FEED_TYPE, &payload)?.into();
        let kid = signing.kid().to_owned();
        *signed = Some(Signed { content: Arc::clone(&content), as_of, kid, document: Arc::clone(&document) });
        Ok((document, etag))
    }

    /// Waits until the feed says something else than what is `known`, or than now where nothing is; for `longest` at
    /// most. A proxy may have weakened the tag that is known (RFC 9110 §13.1.2).
    pub async fn news(&self, known: Option<&EntityTags>, longest: Duration) {
        let mut content = self.feed.content.subscribe();
        let now = content.borrow_and_update().etag();
        let waits = known.is_none_or(|known| known.name_weakly(&now));
        if waits && !self.feed.is_closing.load(Ordering::Acquire) {
            let _ = tokio::time::timeout(longest, content.changed()).await;
        }
    }
}
