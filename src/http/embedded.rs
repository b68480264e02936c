//! Files embedded in this binary, for browsers.

use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use crate::use_cases::management::ApiError;

pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(crate) const STYLE: &str = "text/css; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
/// RFC 7763 §2.
pub(crate) const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// An embedded file with its media type and its bytes as sent.
pub(crate) struct Embedded {
    name: &'static str,
    pub(crate) media_type: &'static str,
    is_gzip: bool,
    pub(crate) body: &'static [u8],
}

impl Embedded {
    pub(crate) const fn plain(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Self {
        Self { name, media_type, is_gzip: false, body }
    }

    pub(crate) const fn gzip(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Self {
        Self { name, media_type, is_gzip: true, body }
    }

    pub(crate) fn named<'f>(
        name: &str,
        files: impl IntoIterator<Item = &'f Self>,
    ) -> Result<&'f Self, ApiError> {
        files.into_iter().find(|file| file.name == name).ok_or(ApiError::NotFound)
    }

    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::from_static(self.body)
    }

    /// Sets `Content-Encoding` if the bytes are compressed.
    pub(crate) fn encoded(&self, mut response: Response) -> Response {
        if self.is_gzip {
            // gzip goes out without negotiation. Every browser accepts it, and RFC 9110 §12.5.3 allows it where a
            // server has no other representation.
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}
