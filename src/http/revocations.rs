//! `/oauth/revocations`: the feed that offline verifiers follow.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use super::published::if_none_match;
use super::query::NoQuery;
use crate::node::{FeedError, Node};
use crate::use_cases::management::ApiError;

/// The limit of a long poll in seconds, whatever the client prefers.
const MOST_SECONDS: u64 = 10;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `GET /oauth/revocations`. With `Prefer: wait` (RFC 7240 §4.3), the response waits until the feed differs from the
/// version in `If-None-Match`, or until the time is over.
pub(super) async fn feed(
    State(node): State<Arc<Node>>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let wait = wait(&headers);
    if let Some(seconds) = wait {
        node.revocations.news(if_none_match(&headers).as_ref(), Duration::from_secs(seconds)).await;
    }
    let (document, etag) = node.revocations.document(node.clock.now()).await.map_err(unavailable)?;
    let mut response = document.into_response();
    let headers = response.headers_mut();
    // RFC 7519 §10.3.1. `Front` adds `Cache-Control: no-store`.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    headers.insert(header::ETAG, HeaderValue::try_from(etag).map_err(ApiError::internal)?);
    if let Some(seconds) = wait {
        let applied = HeaderValue::try_from(format!("wait={seconds}")).map_err(ApiError::internal)?;
        headers.insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

/// A missing signing key is temporary, so the client may try again. Any other cause is an internal error.
fn unavailable(error: FeedError) -> ApiError {
    match error {
        FeedError::NoSigningKey => ApiError::Unavailable(error.to_string()),
        error => ApiError::internal(error),
    }
}

/// The seconds of a `wait` preference, capped. A malformed preference is ignored (RFC 7240 §2).
fn wait(headers: &HeaderMap) -> Option<u64> {
    let lines = headers.get_all(PREFER).iter().filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split(','));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse::<u64>().ok()).flatten()
    });
    seconds.map(|seconds| seconds.min(MOST_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&'static str]) -> Option<u64> {
        let lines = lines.iter().map(|line| (PREFER, HeaderValue::from_static(line)));
        wait(&lines.collect())
    }

    #[test]
    fn a_preference_is_a_number_of_seconds() {
        assert_eq!(of(&["wait=3"]), Some(3));
        assert_eq!(of(&["return=minimal, Wait = \"4\"; foo"]), Some(4));
        assert_eq!(of(&["respond-async", "wait=600"]), Some(MOST_SECONDS));
        for none in [&[][..], &["wait"], &["wait="], &["wait=-1"], &["wait=1.5"], &["await=3"]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
