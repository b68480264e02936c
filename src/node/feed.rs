//! The revocation feed: what offline verifiers have to hear, as one signed document that all of them share.
//!
//! Its content is what this node has taken in from the store up to one change number, so that two nodes at the
//! same number say the same. It is put together when something has changed, and signed again when the store has
//! been confirmed since: at most once a second, however many ask.
//!
//! Both cost time and memory in proportion to the feed's length, whatever the change. So changes that follow each
//! other closely share one document: after each document there is a pause ([`Pacer::pause_after`]).

mod content;
mod pacer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use self::content::{Confirmed, Content, TakenAway};
use self::pacer::Pacer;
use super::revocations::{REMEMBERED_SECONDS, Revocations};
use crate::base::clock::{Timestamp, timer_now};
use crate::base::lock::Mutex;
use crate::domain::entity_tag::EntityTags;
use crate::jose::jwk::SigningFailed;
use crate::jose::jws::sign_compact;
use crate::jose::revocation_feed::FEED_TYPE;
use crate::store::Position;

/// What the feed says, and the last document that said it.
#[derive(Debug)]
pub struct Feed {
    content: watch::Sender<Arc<Content>>,
    state: Mutex<State>,
    /// Held by whoever puts the feed together or signs it.
    pacer: tokio::sync::Mutex<Pacer>,
    /// Wakes one of those who wait for news: it waits for the end of the pause, on behalf of all of them.
    late: Notify,
    /// Whether nobody is kept waiting any more.
    is_closing: AtomicBool,
}

/// Why there is no document. All of it is the server's fault.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// There is no key to sign with.
    #[error("no signing key is active")]
    NoSigningKey,
    /// The signature failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The document could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[derive(Debug, Default)]
struct State {
    /// Up to where memory has taken in more than the content says, and as of when.
    unsaid: Option<(Position, Timestamp)>,
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
        }
    }
}

impl Feed {
    /// Answers everybody who waits, and keeps nobody waiting from now on: the server is about to end.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.content.send_modify(|_| {});
    }

    /// Whether it says what is known at this position.
    pub(super) fn is_of(&self, position: &Position) -> bool {
        self.content.borrow().is_of(position)
    }

    /// The last document, if it is of now.
    fn held(&self, content: &Arc<Content>, as_of: Timestamp, kid: &str) -> Option<Bytes> {
        let state = self.state.lock();
        let signed = state.signed.as_ref().filter(|signed| {
            Arc::ptr_eq(&signed.content, content) && signed.as_of == as_of && signed.kid == kid
        })?;
        state.unsaid.is_none().then(|| signed.document.clone())
    }
}

impl Revocations {
    /// Has the feed say what memory holds at `position`: at once, or in a pause once somebody asks. Those who wait are
    /// woken when it says something else than before.
    pub(super) fn publish(&self, position: &Position, now: Timestamp) {
        self.feed.state.lock().unsaid = Some((position.clone(), now));
        match self.feed.pacer.try_lock() {
            Ok(mut pacer) if pacer.is_due(timer_now()) => self.say(&mut pacer),
            _ => self.feed.late.notify_one(),
        }
    }

    /// Comes back when the feed says all that memory had taken in before.
    async fn say_all(&self, pacer: &mut Pacer) {
        let is_unsaid = self.feed.state.lock().unsaid.is_some();
        if is_unsaid {
            tokio::time::sleep_until(pacer.next()).await;
            self.say(pacer);
        }
    }

    /// Puts the feed together from what memory holds.
    fn say(&self, pacer: &mut Pacer) {
        let Some((position, now)) = self.feed.state.lock().unsaid.clone() else { return };
        let begun = timer_now();
        let mut content = Content::at(&position, self.taken_away(now));
        let length = content.len();
        self.feed.content.send_if_modified(|held| {
            let is_news = !held.says_as(&content);
            if !is_news {
                content.is_named_as(held);
            }
            *held = Arc::new(content);
            is_news
        });
        self.feed.state.lock().unsaid.take_if(|(unsaid, _)| *unsaid == position);
        pacer.pause_after(begun, timer_now(), length);
    }

    fn taken_away(&self, now: Timestamp) -> TakenAway {
        let since = now.plus(-REMEMBERED_SECONDS);
        let ring = self.signer.keyring.ring();
        let withdrawn = ring.keys().iter().filter(|key| key.withdrawn_at.is_some_and(|at| at >= since));
        TakenAway {
            keys: self.withdrawals.all(),
            token_ids: self.tokens.ids(),
            kids: withdrawn.map(|key| key.kid().to_owned()).collect(),
        }
    }

    /// The document as it is now, and the name of what it says. It says all that memory had taken in when it was asked
    /// for.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn document(&self, now: Timestamp) -> Result<(Bytes, String), FeedError> {
        if let Some(document) = self.document_held(now)? {
            return Ok(document);
        }
        let mut pacer = self.feed.pacer.lock().await;
        // Read before what is unsaid: what was taken in by then is said.
        let as_of = self.freshness.as_of();
        self.say_all(&mut pacer).await;
        // While this one waited for its turn, another may have signed.
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

    /// Waits until the feed says something else than what is `known`, or than now where nothing is; for `longest` at
    /// most. A proxy may have weakened the tag that is known (RFC 9110 §13.1.2).
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
                            self.say_all(&mut *self.feed.pacer.lock().await).await;
                        }
                    }
                }
            };
            let _ = tokio::time::timeout(longest, news).await;
        }
    }
}
