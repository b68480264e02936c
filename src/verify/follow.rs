//! Following the revocation feed.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, ETAG, HeaderName, IF_NONE_MATCH};
use tokio::time::{Instant, sleep, sleep_until};

use super::issuer_keys::Asker;
use super::verifier::Shared;
use crate::client::{ClientError, Limits, Request, Session};
use crate::jws::{JwsFault, UnverifiedJws};
use crate::revocation_feed::{Document, FeedFault, Taken, verify_document};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// For so long the issuer may hold an answer back when there is no news (RFC 7240 §4.3).
const WAIT: &str = "wait=10";

/// After that, and this, nothing will come any more.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(13), body: Document::MAX_LENGTH };

/// The time between two questions when the answer to the first was of no use: it failed, or came from a node that is
/// behind.
const PAUSE: Duration = Duration::from_millis(500);

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("it is answered with {0}")]
    Status(StatusCode),
    #[error("it is not text")]
    NotText,
    #[error("it is refused: {0}")]
    Refused(#[from] FeedFault),
}

/// Asks for the feed again and again.
pub(super) async fn follow(shared: Arc<Shared>) {
    let Some(metadata) = shared.keys.metadata().await else { return };
    let request = Request::get_url(&metadata.revocations).header(ACCEPT, Some("application/jwt"));
    let mut session = shared.feed_session();
    let mut etag = None;
    let mut is_heard = true;
    loop {
        let asked = Instant::now();
        match hear(&shared, &mut session, &request, &mut etag).await {
            Ok(taken) => {
                if !is_heard {
                    tracing::info!("the revocation feed is heard again");
                }
                is_heard = true;
                match taken {
                    Taken::Counts => shared.announce_ready(),
                    // The node has lost its store: it has nothing to say, and no reason to wait with that.
                    Taken::Same => sleep_until(asked + PAUSE).await,
                    Taken::Ignored => {
                        // Another node may know more.
                        session = shared.feed_session();
                        sleep_until(asked + PAUSE).await;
                    }
                }
            }
            Err(silence) => {
                if is_heard {
                    tracing::warn!("the revocation feed can't be followed: {silence}");
                }
                is_heard = false;
                shared.metrics.feed_failed();
                etag = None;
                sleep(PAUSE).await;
            }
        }
    }
}

impl Shared {
    fn feed_session(&self) -> Session {
        Session::new(self.client.clone().with_limits(LIMITS))
    }
}

/// Asks for what comes after the document called `etag`, and takes it in.
async fn hear(
    shared: &Shared,
    session: &mut Session,
    request: &Request,
    etag: &mut Option<String>,
) -> Result<Taken, Silence> {
    let wait = etag.is_some().then_some(WAIT);
    let request = request.clone().header(PREFER, wait).header(IF_NONE_MATCH, etag.as_deref());
    let answer = session.send(request).await?;
    if answer.status != StatusCode::OK {
        return Err(Silence::Status(answer.status));
    }
    let at = Instant::now();
    let text = std::str::from_utf8(&answer.body).map_err(|_| Silence::NotText)?;
    let (document, kid) = read(shared, text).await?;
    let taken = shared.standing.take(document, &kid, shared.settings.clock.now(), at);
    shared.metrics.feed_heard();
    // By the name of what is behind, whoever is behind would be waited for.
    *etag = answer.header(&ETAG).filter(|_| taken != Taken::Ignored).map(str::to_owned);
    Ok(taken)
}

/// Verifies a document, with a key that is new since the last look at the key set if need be.
async fn read(shared: &Shared, text: &str) -> Result<(Document, String), FeedFault> {
    let verify = || verify_document(text, |kid| shared.keys.get(kid), &shared.settings.issuer);
    match verify() {
        Err(FeedFault::UnknownKey) => {
            shared.keys.look_for(&kid(text)?, Asker::Feed).await;
            verify()
        }
        verdict => verdict,
    }
}

fn kid(text: &str) -> Result<String, JwsFault> {
    Ok(UnverifiedJws::parse_up_to(Document::MAX_LENGTH, text)?.header().kid().to_owned())
}
