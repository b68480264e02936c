//! Follows the revocation feed.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, ETAG, HeaderName, IF_NONE_MATCH};
use tokio::time::sleep;

use super::issuer_keys::LookupReason;
use super::shared::Shared;
use crate::base::clock::timer_now;
use crate::base::entropy::Entropy;
use crate::client::{ClientError, Request, RequestLimits, Session};
use crate::jose::jws::{JwsFault, UnverifiedJws};
use crate::jose::revocation_feed::{Document, FeedFault, FeedUpdate, verify_document};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How long the issuer may delay an answer without news (RFC 7240 §4.3).
const WAIT: &str = "wait=10";

/// These limits leave room for the wait.
const LIMITS: RequestLimits = RequestLimits {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(13),
    body: Document::MAX_LENGTH,
};

/// The pause after an answer without use: it failed, or came from a node that is behind. The pause doubles each time,
/// and varies at random, so that followers do not all return at the same time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why the feed can't be read.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the issuer answered with {0}")]
    Status(StatusCode),
    #[error("it is not text")]
    NotText,
    #[error("it is refused: {0}")]
    Refused(#[from] FeedFault),
}

/// Requests the feed again and again.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut follower = Follower::of(&shared);
    let mut pause = SHORTEST_PAUSE;
    let mut is_following = true;
    loop {
        match follower.poll().await {
            Ok(FeedUpdate::Applied) => {
                pause = SHORTEST_PAUSE;
                shared.announce_ready();
            }
            // A node that has lost its store answers at once, without news. If a node is behind, another one may be
            // ahead.
            Ok(FeedUpdate::Unchanged) => rest(&mut pause).await,
            Ok(FeedUpdate::Ignored) => {
                follower = Follower::of(&shared);
                rest(&mut pause).await;
            }
            Err(error) => {
                if is_following {
                    tracing::warn!("the revocation feed can't be followed: {error}");
                }
                is_following = false;
                shared.metrics.feed_failed();
                follower = Follower::of(&shared);
                rest(&mut pause).await;
                continue;
            }
        }
        if !is_following {
            tracing::info!("the revocation feed can be followed again");
        }
        is_following = true;
    }
}

async fn rest(pause: &mut Duration) {
    let random = Entropy::system().bytes::<1>().map_or(0, |[byte]| byte);
    sleep(pause.mul_f64(0.5 + f64::from(random) / 256.0)).await;
    *pause = LONGEST_PAUSE.min(*pause * 2);
}

/// A connection to the issuer, and the last document that arrived on it.
struct Follower<'a> {
    shared: &'a Shared,
    session: Session,
    /// The entity tag of the last document.
    known: Option<String>,
}

impl<'a> Follower<'a> {
    fn of(shared: &'a Shared) -> Self {
        let session = Session::new(shared.client.clone().with_limits(LIMITS));
        Self { shared, session, known: None }
    }

    /// Requests the next document, and applies it.
    async fn poll(&mut self) -> Result<FeedUpdate, FollowError> {
        let wait = self.known.as_ref().filter(|_| self.has_time()).map(|_| WAIT);
        let request = Request::get_url(&self.shared.keys.metadata().await.revocations)
            .header(ACCEPT, Some("application/jwt"))
            .header(PREFER, wait)
            .header(IF_NONE_MATCH, self.known.as_deref());
        let answer = self.session.send(request).await?;
        if answer.status != StatusCode::OK {
            return Err(FollowError::Status(answer.status));
        }
        let at = timer_now();
        let text = std::str::from_utf8(&answer.body).map_err(|_| FollowError::NotText)?;
        let (document, kid) = read(self.shared, text).await?;
        self.shared.metrics.feed_read();
        self.known = answer.header(&ETAG).map(str::to_owned);
        Ok(self.shared.feed_state.apply(document, &kid, self.shared.settings.clock.now(), at))
    }

    /// Whether the issuer may delay its answer. A node that has lost its store has only one piece of news: that the
    /// store is back. It does not count as news that ends the wait, so the follower must not wait while the feed grows
    /// old.
    fn has_time(&self) -> bool {
        let age = self.shared.age(timer_now());
        age.is_some_and(|age| age <= self.shared.settings.max_stale / 2)
    }
}

/// Verifies a document. If its key is unknown, reads the issuer's keys once more.
async fn read(shared: &Shared, text: &str) -> Result<(Document, String), FeedFault> {
    let verify = || verify_document(text, |kid| shared.keys.get(kid), &shared.settings.issuer);
    match verify() {
        Err(FeedFault::UnknownKey) => {
            shared.keys.look_up(&kid(text)?, LookupReason::Feed).await;
            verify()
        }
        verdict => verdict,
    }
}

fn kid(text: &str) -> Result<String, JwsFault> {
    Ok(UnverifiedJws::parse_up_to(Document::MAX_LENGTH, text)?.header().kid().to_owned())
}
