//! What everybody may read, and keep for a while.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::management::Etag;

/// Shorter than the time for which a new signing key is published ahead of its use.
pub(crate) const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Something published.
pub(crate) struct Published {
    pub(crate) media_type: &'static str,
    pub(crate) body: Bytes,
}

impl Published {
    /// 200 with the body; 304 without, for whoever has it.
    pub(crate) fn answer(self, request: &HeaderMap) -> Response {
        let etag = Etag::of_bytes(&self.body);
        let caching = [
            (header::CACHE_CONTROL, CACHE),
            (header::ETAG, HeaderValue::try_from(etag.as_str()).unwrap_or(HeaderValue::from_static(""))),
        ];
        if is_known(request, etag.as_str()) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        (caching, [(header::CONTENT_TYPE, self.media_type)], self.body).into_response()
    }
}

/// RFC 9110 §13.1.2, with weak comparison.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
