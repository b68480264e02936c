//! JSON bodies of the management API.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderName;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::body;
use super::failure::Failure;
use crate::base::text::{without_byte_order_mark_bytes, without_values};
use crate::node::Node;
use crate::use_cases::management::{ApiError, IdempotentRequest, InvalidRequest};

const MAX_BODY: usize = 256 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Maximum length of an `Idempotency-Key`, in characters.
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A JSON body of at most `MOST` bytes. An absent body reads as `null`.
pub(super) struct Json<T, const MOST: usize = MAX_BODY>(pub(super) T);

/// A JSON body with the identity of the request, so that a repetition is recognized.
pub(super) struct IdempotentJson<T>(pub(super) T, pub(super) Option<IdempotentRequest>);

impl<T: DeserializeOwned, const MOST: usize> FromRequest<Arc<Node>> for Json<T, MOST> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<Node>) -> Result<Self, Failure> {
        let (_, bytes) = read(request, MOST).await?;
        Ok(Self(parse(&bytes)?))
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Node>> for IdempotentJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<Node>) -> Result<Self, Failure> {
        let (parts, bytes) = read(request, MAX_BODY).await?;
        let idempotent = idempotent(&parts, &bytes)?;
        Ok(Self(parse(&bytes)?, idempotent))
    }
}

async fn read(request: Request, most: usize) -> Result<(Parts, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let is_json = body::is_of_type(&parts.headers, "application/json");
    let bytes = body::read(&parts.headers, body, most).await?;
    if !is_json && !bytes.is_empty() {
        return Err(ApiError::UnsupportedMediaType);
    }
    Ok((parts, bytes))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // RFC 8259 §8.1 allows a reader to ignore a byte order mark. Some editors and shells write one.
    let bytes = without_byte_order_mark_bytes(bytes);
    // serde would also accept an array and map its items to members by position.
    if !bytes.is_empty() && bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(InvalidRequest::NotAnObject.into());
    }
    let text = if bytes.is_empty() { b"null" } else { bytes };
    let body = |error: serde_json::Error| InvalidRequest::Body(without_values(&error.to_string()));
    Ok(serde_json::from_slice(text).map_err(body)?)
}

fn idempotent(parts: &Parts, body: &[u8]) -> Result<Option<IdempotentRequest>, ApiError> {
    let mut names = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
    let (name, None) = (names.next(), names.next()) else {
        return Err(InvalidRequest::IdempotencyKeyTwice.into());
    };
    let Some(name) = name else { return Ok(None) };
    let is_good = (1..=MAX_IDEMPOTENCY_KEY).contains(&name.len())
        && name.as_bytes().iter().all(|byte| byte.is_ascii_graphic());
    let name =
        name.to_str().ok().filter(|_| is_good).ok_or(InvalidRequest::IdempotencyKey(MAX_IDEMPOTENCY_KEY))?;
    Ok(Some(IdempotentRequest::new(parts.method.as_str(), parts.uri.path(), name, body)))
}
