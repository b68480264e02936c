//! Public, cacheable responses.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::entity_tag::EntityTags;
use crate::use_cases::management::Etag;

/// The lifetime is shorter than the time for which a new signing key is published before it signs.
pub(crate) const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) struct Published {
    pub(crate) media_type: &'static str,
    pub(crate) body: Bytes,
}

impl Published {
    /// 200 with the body, or 304 if the client has the current version.
    pub(crate) fn answer(self, request: &HeaderMap) -> Response {
        let etag = Etag::of_bytes(&self.body);
        let caching = [
            (header::CACHE_CONTROL, CACHE),
            (header::ETAG, HeaderValue::try_from(etag.as_str()).unwrap_or(HeaderValue::from_static(""))),
        ];
        if if_none_match(request).is_some_and(|known| known.name_weakly(etag.as_str())) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        (caching, [(header::CONTENT_TYPE, self.media_type)], self.body).into_response()
    }
}

/// The tags in `If-None-Match` (RFC 9110 §13.1.2). A malformed header counts as absent, and the response is complete.
pub(crate) fn if_none_match(request: &HeaderMap) -> Option<EntityTags> {
    EntityTags::parse(request.get_all(header::IF_NONE_MATCH).iter().map(HeaderValue::as_bytes)).ok()
}
