//! The issuer's keys: read ahead of need, kept while the issuer is away, and asked for once more when a token names
//! one that is not known.

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

/// For so long a key set is fresh; the issuer's `Cache-Control` says the same.
pub(super) const REFRESHED_EVERY: Duration = Duration::from_secs(300);

/// Tokens with unknown `kid`s cause one fetch in so long a time: anybody can make them.
const UNKNOWN_EVERY: Duration = Duration::from_secs(30);

/// The same for what comes from the issuer itself.
const FEED_EVERY: Duration = Duration::from_secs(1);

/// Keys by their ids, and where they came from.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    client: Client,
    issuer: String,
    server: BaseUrl,
    by_id: RwLock<HashMap<String, Arc<VerifyingKey>>>,
    metadata: watch::Sender<Option<Metadata>>,
    /// CurrentDocument by whoever reads: of two answers, the one that was asked for last is to be kept.
    reading: Mutex<()>,
    for_tokens: Mutex<Option<Instant>>,
    for_feed: Mutex<Option<Instant>>,
}

/// What a missing key is looked up for.
#[derive(Clone, Copy, Debug)]
pub(super) enum LookupReason {
    /// A token, which anybody may have made up.
    Token,
    /// The feed, as it came from the issuer.
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
            reading: Mutex::default(),
            for_tokens: Mutex::default(),
            for_feed: Mutex::default(),
        }
    }

    /// The key with this id, if it is known.
    pub(super) fn get(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.by_id.read().get(kid).cloned()
    }

    /// Where the issuer has what; waits until it was read for the first time.
    pub(super) async fn metadata(&self) -> Metadata {
        let mut metadata = self.metadata.subscribe();
        loop {
            if let Some(metadata) = metadata.borrow_and_update().clone() {
                return metadata;
            }
            // It can't fail: the sender is held here.
            let _ = metadata.changed().await;
        }
    }

    /// Whether keys have been read.
    pub(super) fn are_known(&self) -> bool {
        self.metadata.borrow().is_some()
    }

    /// Reads metadata and keys, and holds to what was known where that fails.
    pub(super) async fn refresh(&self) -> Result<(), FetchFault> {
        let _reading = self.reading.lock().await;
        let metadata = fetch_metadata(&self.client, &self.issuer, &self.server).await?;
        let keys = fetch_keys(&self.client, &metadata).await?;
        let by_id =
            keys.keys.into_iter().map(|key| (key.kid().to_owned(), Arc::new(VerifyingKey::from(key))));
        *self.by_id.write() = by_id.collect();
        self.metadata.send_replace(Some(metadata));
        Ok(())
    }

    /// Asks the issuer for the key with this id, if that is not too soon. Who asks meanwhile waits for the same answer.
    pub(super) async fn look_up(self: &Arc<Self>, kid: &str, reason: LookupReason) {
        let (last, spacing) = match reason {
            LookupReason::Token => (&self.for_tokens, UNKNOWN_EVERY),
            LookupReason::Feed => (&self.for_feed, FEED_EVERY),
        };
        let mut last = last.lock().await;
        let is_too_soon = last.is_some_and(|last| last.elapsed() < spacing);
        if is_too_soon || self.get(kid).is_some() {
            return;
        }
        *last = Some(timer_now());
        // On a task of its own: a caller that goes away must not take the one fetch along.
        let keys = Arc::clone(self);
        let fetched = tokio::spawn(async move { keys.refresh().await }).await;
        if let Ok(Err(fault)) = fetched {
            tracing::warn!(issuer = self.issuer, "the keys of the issuer can't be read: {fault}");
        }
    }
}
