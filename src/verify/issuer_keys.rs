//! The issuer's keys. They are read ahead of need, kept while the issuer is unreachable, and read again when a token
//! names an unknown key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::metadata::{FetchFault, Metadata, fetch_keys, fetch_metadata};
use crate::base::clock::timer_now;
use crate::base::lock::RwLock;
use crate::client::{BaseUrl, Client};
use crate::jose::jwk::VerifyingKey;

/// How long a key set is fresh. The issuer's `Cache-Control` has the same value.
pub(super) const REFRESHED_EVERY: Duration = Duration::from_secs(300);

/// Tokens with unknown `kid`s cause at most one fetch in this time, because anybody can make them.
const TOKEN_LOOKUP_EVERY: Duration = Duration::from_secs(30);

/// The same for the feed, which comes from the issuer itself.
const FEED_LOOKUP_EVERY: Duration = Duration::from_secs(1);

/// The keys by their `kid`, and their source.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    client: Client,
    issuer: String,
    server: BaseUrl,
    by_id: RwLock<HashMap<String, Arc<VerifyingKey>>>,
    metadata: watch::Sender<Option<Metadata>>,
    /// Held during a fetch, so that of two answers the one that was requested last is kept.
    fetching: Mutex<()>,
    /// The last lookup for each reason.
    last_for_token: Mutex<Option<Instant>>,
    last_for_feed: Mutex<Option<Instant>>,
}

/// Why a missing key is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum LookupReason {
    /// A token names the key. Anybody may have made the token.
    Token,
    /// The feed names the key. It came from the issuer.
    Feed,
}

impl IssuerKeys {
    pub(super) fn new(client: Client, issuer: String, server: BaseUrl) -> Self {
        Self {
            client,
            issuer,
            server,
            by_id: RwLock::default(),
            metadata: watch::Sender::new(None),
            fetching: Mutex::default(),
            last_for_token: Mutex::default(),
            last_for_feed: Mutex::default(),
        }
    }

    /// The key with this id, if it is known.
    pub(super) fn get(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.by_id.read().get(kid).cloned()
    }

    /// The issuer's endpoints. Waits until they were read for the first time.
    pub(super) async fn metadata(&self) -> Metadata {
        let mut metadata = self.metadata.subscribe();
        loop {
            if let Some(metadata) = metadata.borrow_and_update().clone() {
                return metadata;
            }
            // This can't fail, because `self` holds the sender.
            let _ = metadata.changed().await;
        }
    }

    /// Whether keys have been read.
    pub(super) fn are_known(&self) -> bool {
        self.metadata.borrow().is_some()
    }

    /// Reads the metadata and the keys. After a failure, the earlier ones stay.
    pub(super) async fn refresh(&self) -> Result<(), FetchFault> {
        let _fetching = self.fetching.lock().await;
        let metadata = fetch_metadata(&self.client, &self.issuer, &self.server).await?;
        let keys = fetch_keys(&self.client, &metadata).await?;
        let by_id =
            keys.keys.into_iter().map(|key| (key.kid().to_owned(), Arc::new(VerifyingKey::from(key))));
        *self.by_id.write() = by_id.collect();
        self.metadata.send_replace(Some(metadata));
        Ok(())
    }

    /// Asks the issuer for the key with this id, unless that was done too recently. Concurrent callers wait for the
    /// same answer.
    pub(super) async fn look_up(self: &Arc<Self>, kid: &str, reason: LookupReason) {
        let (last, spacing) = match reason {
            LookupReason::Token => (&self.last_for_token, TOKEN_LOOKUP_EVERY),
            LookupReason::Feed => (&self.last_for_feed, FEED_LOOKUP_EVERY),
        };
        let mut last = last.lock().await;
        let is_too_soon = last.is_some_and(|last| last.elapsed() < spacing);
        if is_too_soon || self.get(kid).is_some() {
            return;
        }
        *last = Some(timer_now());
        // The fetch is a task of its own, so that a caller that goes away does not cancel it for the others.
        let keys = Arc::clone(self);
        let fetched = tokio::spawn(async move { keys.refresh().await }).await;
        if let Ok(Err(fault)) = fetched {
            tracing::warn!(issuer = self.issuer, "the keys of the issuer can't be read: {fault}");
        }
    }
}
