//! Path and query parameters of the management API, and its JSON bodies.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::body::{self, BodyFault};
use super::failure::Failure;
use crate::api_key::KeyId;
use crate::management::ApiError;
use crate::management::keys::KeyPath;
use crate::names::OrganizationId;
use crate::node::Node;
use crate::text::without_values;

const MAX_BODY: usize = 256 * 1024;

/// The organization in the path. One that can't be is answered like one that is not there.
pub(super) struct InOrganization(pub(super) OrganizationId);

impl<S: Send + Sync> FromRequestParts<S> for InOrganization {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(id) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        Ok(Self(id.parse().map_err(|_| ApiError::NotFound)?))
    }
}

/// The key in the path, likewise.
pub(super) struct OfKey(pub(super) KeyPath);

impl<S: Send + Sync> FromRequestParts<S> for OfKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((organization, key)) = path.map_err(|_| ApiError::NotFound)?;
        let key: KeyId = key.parse().map_err(|_| ApiError::NotFound)?;
        Ok(Self(KeyPath { organization: organization.parse().map_err(|_| ApiError::NotFound)?, key }))
    }
}

/// The parameters of a query, each known, decoded and there at most once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query that may have only `known` parameters.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for any other, and for one that comes twice.
    pub(super) fn read(parts: &Parts, known: &[&str]) -> Result<Self, ApiError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let query = parts.uri.query().unwrap_or_default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                super::form::decode(text.as_bytes()).map(|decoded| decoded.into_owned()).map_err(|_| {
                    ApiError::InvalidRequest("the query is not percent-encoded UTF-8 without NUL".into())
                })
            };
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                return Err(ApiError::InvalidRequest(format!(
                    "the query parameters here are {}",
                    known.join(", ")
                )));
            }
            if pairs.iter().any(|(given, _)| *given == name) {
                return Err(ApiError::InvalidRequest(format!("{name} is there twice")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as whatever it has to be.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] when it is not that.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError>
    where
        T::Err: std::fmt::Display,
    {
        let parse =
            |text: &str| text.parse().map_err(|error| ApiError::InvalidRequest(format!("{name}: {error}")));
        self.text(name).map(parse).transpose()
    }
}

/// A resource that takes no query. One that is sent all the same asks for something that would not happen.
pub(super) struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(ApiError::InvalidRequest("there are no query parameters here".into()).into()),
        }
    }
}

/// A JSON body; an absent one is `null`.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Node>> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<Node>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let is_json = body::is_of_type(&parts.headers, "application/json");
        let bytes = body::read(&parts.headers, body, MAX_BODY).await.map_err(|fault| match fault {
            BodyFault::TooLarge => ApiError::TooLarge,
            BodyFault::TooSlow => ApiError::TooSlow,
            BodyFault::Broken => ApiError::InvalidRequest("the body is incomplete".into()),
        })?;
        if !is_json && !bytes.is_empty() {
            return Err(ApiError::UnsupportedMediaType.into());
        }
        let invalid = |why: String| ApiError::InvalidRequest(format!("the body: {why}"));
        // serde would take an array too, with the members by position.
        if !bytes.is_empty() && bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(invalid("not a JSON object".into()).into());
        }
        let text = if bytes.is_empty() { b"null" } else { &bytes[..] };
        let value =
            serde_json::from_slice(text).map_err(|error| invalid(without_values(&error.to_string())))?;
        Ok(Self(value))
    }
}
