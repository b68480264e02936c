//! Reads a request's body within its size limit and its time limit.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::listener::BodyTimedOut;
use crate::use_cases::management::{ApiError, InvalidRequest};
use crate::use_cases::token::{self, OAuthError};

/// Why a body can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    TooSlow,
    /// The client disconnected, or violated HTTP.
    Broken,
    /// The body is compressed, or declared as compressed (RFC 9110 §8.4).
    Encoded,
    /// The body is declared as text in a charset other than UTF-8.
    Charset,
}

impl From<BodyFault> for ApiError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::TooLarge,
            BodyFault::TooSlow => Self::TooSlow,
            BodyFault::Broken => InvalidRequest::IncompleteBody.into(),
            BodyFault::Encoded => Self::ContentEncoding,
            BodyFault::Charset => InvalidRequest::Charset.into(),
        }
    }
}

impl From<BodyFault> for OAuthError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::TooLarge,
            BodyFault::TooSlow => Self::TooSlow,
            BodyFault::Broken => token::InvalidRequest::IncompleteBody.into(),
            BodyFault::Encoded => Self::ContentEncoding,
            BodyFault::Charset => token::InvalidRequest::Charset.into(),
        }
    }
}

/// The whole body, at most `most` bytes. A declared charset must be UTF-8; the bytes themselves are not checked.
pub(crate) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, BodyFault> {
    if is_encoded(headers) {
        return Err(BodyFault::Encoded);
    }
    if has_other_charset(headers) {
        return Err(BodyFault::Charset);
    }
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(BodyFault::TooLarge);
    }
    match Limited::new(body, most).collect().await {
        Ok(collected) => decoded(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyFault::TooLarge),
        Err(error) if BodyTimedOut::caused(&*error) => Err(BodyFault::TooSlow),
        Err(_) => Err(BodyFault::Broken),
    }
}

/// Whether the request has exactly one `Content-Type` header, with this media type. Parameters do not count.
pub(crate) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(declared), None) = (lines.next(), lines.next()) else { return false };
    let essence = declared.to_str().ok().and_then(|declared| declared.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// RFC 9110 §8.4: any coding except `identity`, which means no coding.
fn is_encoded(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| {
        let coding = coding.trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    })
}

/// RFC 9110 §8.3.2. Text in another charset would be misread as UTF-8.
fn has_other_charset(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::CONTENT_TYPE).iter();
    let mut parameters = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';').skip(1));
    parameters.any(|parameter| {
        let Some(at) = parameter.iter().position(|byte| *byte == b'=') else { return false };
        let (name, value) = (parameter[..at].trim_ascii(), parameter[at + 1..].trim_ascii());
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        let is_utf8 = value.eq_ignore_ascii_case(b"utf-8") || value.eq_ignore_ascii_case(b"utf8");
        name.eq_ignore_ascii_case(b"charset") && !is_utf8
    })
}

/// Detects gzip by its magic bytes (RFC 1952 §2.3.1), for clients that omit `Content-Encoding`. No form and no JSON
/// text begins with them.
fn decoded(bytes: Bytes) -> Result<Bytes, BodyFault> {
    if bytes.starts_with(b"\x1f\x8b") { Err(BodyFault::Encoded) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn identity_is_the_one_content_coding() {
        let is_encoded = |lines: &[&'static str]| is_encoded(&headers(header::CONTENT_ENCODING, lines));
        for plain in [&[][..], &[""], &["identity"], &["Identity, identity"]] {
            assert!(!is_encoded(plain), "{plain:?}");
        }
        for coded in [&["gzip"][..], &["identity", "br"], &["identity, deflate"], &["aws-chunked"]] {
            assert!(is_encoded(coded), "{coded:?}");
        }
    }

    #[test]
    fn utf_8_is_the_one_charset() {
        let is_other = |line| has_other_charset(&headers(header::CONTENT_TYPE, &[line]));
        for good in
            ["a/b", "a/b; charset=utf-8", "a/b;Charset=\"UTF-8\"", "a/b; charset = utf8", "a/b; x=y; z"]
        {
            assert!(!is_other(good), "{good}");
        }
        for other in ["a/b; charset=iso-8859-1", "a/b; x=y;charset=\"utf-16\"", "a/b; charset="] {
            assert!(is_other(other), "{other}");
        }
    }
}
