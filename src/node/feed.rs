//! The revocation feed: one signed document, shared by all followers, with everything that offline verifiers have to
//! refuse.
//!
//! Its content is what this node has applied from the store up to one change number, so two nodes at the same number
//! publish the same content. The node composes the content when something has changed. It signs again when the store
//! has been confirmed since, at most once a second, however many followers ask.
//!
//! Composing and signing cost time and memory in proportion to the feed's length, whatever the change. Changes in close
//! succession therefore share one document: a pause follows each document ([`Pacer::pause_after`]).

mod content;
mod pacer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use self::content::{Confirmed, Content, Revoked};
use self::pacer::Pacer;
use super::revocations::{REMEMBERED_SECONDS, Revocations};
use crate::base::clock::{Timestamp, timer_now};
use crate::base::counted::Counted;
use crate::base::lock::Mutex;
use crate::domain::entity_tag::EntityTags;
use crate::jose::jwk::SigningFailed;
use crate::jose::jws::sign_compact;
use crate::jose::revocation_feed::FEED_TYPE;
use crate::store::Position;

/// The feed's content, and the last signed document.
#[derive(Debug)]
pub struct Feed {
    content: watch::Sender<Arc<Content>>,
    state: Mutex<State>,
    /// The task that composes or signs the feed holds this lock.
    pacer: tokio::sync::Mutex<Pacer>,
    /// Wakes one of the requests that wait for news. It waits for the end of the pause on behalf of all of them.
    late: Notify,
    /// Whether requests no longer wait for news, because the server is shutting down.
    is_closing: AtomicBool,
    /// The requests that wait for news.
    waiting: AtomicUsize,
}

/// The requests that wait for the feed, and its last document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// The requests that wait for news.
    pub waiting: usize,
    /// The bytes of the last signed document, and the moment as of which it is complete. `None` before the first one.
    pub document: Option<(usize, Timestamp)>,
}

/// Why there is no document. The server is at fault in every case.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// No signing key is active.
    #[error("no signing key is active")]
    NoSigningKey,
    /// The signing operation failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The document can't be serialized.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[derive(Debug, Default)]
struct State {
    /// The position and the time of what memory has applied but the content does not contain yet.
    unpublished: Option<(Position, Timestamp)>,
    signed: Option<Signed>,
}

#[derive(Debug)]
struct Signed {
    content: Arc<Content>,
    as_of: Timestamp,
    kid: String,
    document: Bytes,
}

impl Default for Feed {
    fn default() -> Self {
        let content = watch::Sender::new(Arc::default());
        let pacer = tokio::sync::Mutex::new(Pacer::starting(timer_now()));
        Self {
            content,
            state: Mutex::default(),
            pacer,
            late: Notify::new(),
            is_closing: AtomicBool::default(),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Feed {
    /// Answers all waiting requests, and lets no request wait from now on. The server calls this before it shuts down.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.content.send_modify(|_| {});
    }

    /// The requests that wait for the feed, and its last document.
    pub fn state(&self) -> FeedState {
        let state = self.state.lock();
        FeedState {
            waiting: self.waiting.load(Ordering::Relaxed),
            document: state.signed.as_ref().map(|signed| (signed.document.len(), signed.as_of)),
        }
    }

    /// Whether the content is that of this position.
    pub(super) fn is_of(&self, position: &Position) -> bool {
        self.content.borrow().is_of(position)
    }

    /// The last document, if it is still current.
    fn held(&self, content: &Arc<Content>, as_of: Timestamp, kid: &str) -> Option<Bytes> {
        let state = self.state.lock();
        let signed = state.signed.as_ref().filter(|signed| {
            Arc::ptr_eq(&signed.content, content) && signed.as_of == as_of && signed.kid == kid
        })?;
        state.unpublished.is_none().then(|| signed.document.clone())
    }
}

impl Revocations {
    /// Publishes what memory holds at `position`. This happens at once, or after the current pause as soon as a request
    /// asks. Waiting requests are woken if the content differs from the one before.
    pub(super) fn publish(&self, position: &Position, now: Timestamp) {
        self.feed.state.lock().unpublished = Some((position.clone(), now));
        match self.feed.pacer.try_lock() {
            Ok(mut pacer) if pacer.is_due(timer_now()) => self.compose(&mut pacer),
            _ => self.feed.late.notify_one(),
        }
    }

    /// Returns once the content includes everything that memory had applied before the call.
    async fn compose_all(&self, pacer: &mut Pacer) {
        let has_unpublished = self.feed.state.lock().unpublished.is_some();
        if has_unpublished {
            tokio::time::sleep_until(pacer.next()).await;
            self.compose(pacer);
        }
    }

    /// Composes the content from what memory holds.
    fn compose(&self, pacer: &mut Pacer) {
        let Some((position, now)) = self.feed.state.lock().unpublished.clone() else { return };
        let begun = timer_now();
        let mut content = Content::at(&position, self.revoked(now));
        let length = content.len();
        self.feed.content.send_if_modified(|held| {
            let is_news = !held.revokes_same_as(&content);
            if !is_news {
                content.keep_entity_tag_of(held);
            }
            *held = Arc::new(content);
            is_news
        });
        self.feed.state.lock().unpublished.take_if(|(unpublished, _)| *unpublished == position);
        pacer.pause_after(begun, timer_now(), length);
    }

    fn revoked(&self, now: Timestamp) -> Revoked {
        let since = now.plus(-REMEMBERED_SECONDS);
        let ring = self.signer.keyring.ring();
        let withdrawn = ring.keys().iter().filter(|key| key.withdrawn_at.is_some_and(|at| at >= since));
        Revoked {
            keys: self.withdrawals.all(),
            token_ids: self.tokens.ids(),
            kids: withdrawn.map(|key| key.kid().to_owned()).collect(),
        }
    }

    /// The current document and its entity tag. The document includes everything that memory had applied before the
    /// call.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn document(&self, now: Timestamp) -> Result<(Bytes, String), FeedError> {
        if let Some(document) = self.document_held(now)? {
            return Ok(document);
        }
        let mut pacer = self.feed.pacer.lock().await;
        // This is read first: the document includes whatever was applied by then.
        let as_of = self.freshness.as_of();
        self.compose_all(&mut pacer).await;
        // Another request may have signed while this one waited for the lock.
        if let Some(document) = self.document_held(now)? {
            return Ok(document);
        }
        self.sign_document(&mut pacer, as_of, now)
    }

    fn document_held(&self, now: Timestamp) -> Result<Option<(Bytes, String)>, FeedError> {
        let ring = self.signer.keyring.ring();
        let signing = ring.signing(now).ok_or(FeedError::NoSigningKey)?;
        let content = Arc::clone(&self.feed.content.borrow());
        let document = self.feed.held(&content, self.freshness.as_of(), signing.kid());
        Ok(document.map(|document| (document, content.etag())))
    }

    fn sign_document(
        &self,
        pacer: &mut Pacer,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<(Bytes, String), FeedError> {
        let begun = timer_now();
        let content = Arc::clone(&self.feed.content.borrow());
        let ring = self.signer.keyring.ring();
        let signing = ring.signing(now).ok_or(FeedError::NoSigningKey)?;
        let payload = content.payload(&Confirmed { issuer: &self.signer.issuer, as_of, now })?;
        let document = sign_compact(signing.signer().key(), FEED_TYPE, payload.as_bytes())?;
        let (document, etag) = (Bytes::from(document), content.etag());
        pacer.pause_after(begun, timer_now(), document.len());
        let kid = signing.kid().to_owned();
        self.feed.state.lock().signed = Some(Signed { content, as_of, kid, document: document.clone() });
        Ok((document, etag))
    }

    /// Waits at most `longest` until the content differs from the `known` one, or from the current one if `known` is
    /// `None`. A proxy may have weakened the known tag (RFC 9110 §13.1.2).
    pub async fn news(&self, known: Option<&EntityTags>, longest: Duration) {
        let mut content = self.feed.content.subscribe();
        let now = content.borrow_and_update().etag();
        let waits = known.is_none_or(|known| known.name_weakly(&now));
        if waits && !self.feed.is_closing.load(Ordering::Acquire) {
            let news = async {
                loop {
                    tokio::select! {
                        _ = content.changed() => return,
                        () = self.feed.late.notified() => {
                            self.compose_all(&mut *self.feed.pacer.lock().await).await;
                        }
                    }
                }
            };
            let _place = Counted::on(&self.feed.waiting);
            let _ = tokio::time::timeout(longest, news).await;
        }
    }
}
