//! Query parameters of the management API and the console.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use super::failure::Failure;
use crate::base::clock::Timestamp;
use crate::use_cases::management::{
    ApiError, IfMatch, InvalidRequest, PageRequest, ParameterError, Place, Terms, moment,
};

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

/// The decoded parameters of a query. Each is known, and occurs at most once unless it may be repeated.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query that may have only the `known` parameters.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for an unknown, repeated or malformed parameter.
    pub(crate) fn read(parts: &Parts, known: &[&str]) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default(), known)
    }

    /// Like [`Query::read`], with parameters that may be `repeated`. They are known, too.
    ///
    /// # Errors
    /// Those of [`Query::read`].
    pub(crate) fn read_with_repeated(
        parts: &Parts,
        known: &[&str],
        repeated: &[&str],
    ) -> Result<Self, ApiError> {
        Self::parse_with(parts.uri.query().unwrap_or_default(), known, repeated)
    }

    /// Reads the query of a page and ignores unknown parameters, since tracking tools add some to links.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a known parameter that is repeated or malformed.
    pub(crate) fn of_page(parts: &Parts, known: &[&str]) -> Result<Self, ApiError> {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let ours = pairs.filter(|pair| known.contains(&pair.split('=').next().unwrap_or_default()));
        Self::parse(&ours.collect::<Vec<_>>().join("&"), known)
    }

    /// Like [`Query::of_page`], with parameters that may be `repeated`. They are known, too.
    ///
    /// # Errors
    /// Those of [`Query::of_page`].
    pub(crate) fn of_page_with_repeated(
        parts: &Parts,
        known: &[&str],
        repeated: &[&str],
    ) -> Result<Self, ApiError> {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let ours = pairs.filter(|pair| known.contains(&pair.split('=').next().unwrap_or_default()));
        Self::parse_with(&ours.collect::<Vec<_>>().join("&"), known, repeated)
    }

    /// Like [`Query::read`], for a query from another source.
    ///
    /// # Errors
    /// Those of [`Query::read`].
    pub(crate) fn parse(query: &str, known: &[&str]) -> Result<Self, ApiError> {
        Self::parse_with(query, known, &[])
    }

    /// Like [`Query::parse`], with parameters that may be `repeated`. They are known, too.
    ///
    /// # Errors
    /// Those of [`Query::read`].
    pub(crate) fn parse_with(query: &str, known: &[&str], repeated: &[&str]) -> Result<Self, ApiError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                super::form::decode(text.as_bytes())
                    .map(|decoded| decoded.into_owned())
                    .map_err(|_| InvalidRequest::QueryEncoding)
            };
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                let known = known.iter().map(ToString::to_string).collect();
                return Err(InvalidRequest::UnknownParameter(known).into());
            }
            if !repeated.contains(&name.as_str()) && pairs.iter().any(|(given, _)| *given == name) {
                return Err(InvalidRequest::ParameterTwice(name).into());
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The texts of a parameter that may be repeated.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated, parsed as `T`.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] when a value does not parse.
    pub(crate) fn all<T: FromStr>(&self, name: &'static str) -> Result<Vec<T>, ApiError>
    where
        T::Err: Into<ParameterError>,
    {
        let wrong =
            |error: T::Err| ApiError::from(InvalidRequest::Value(error.into())).at(Place::Parameter(name));
        self.texts(name).map(|text| text.parse().map_err(wrong)).collect()
    }

    /// A parameter parsed as `T`.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] when the value does not parse.
    pub(crate) fn parsed<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, ApiError>
    where
        T::Err: Into<ParameterError>,
    {
        let wrong =
            |error: T::Err| ApiError::from(InvalidRequest::Value(error.into())).at(Place::Parameter(name));
        let parse = |text: &str| text.parse().map_err(wrong);
        self.text(name).map(parse).transpose()
    }
}

impl Query {
    /// A parameter that is `true` or `false`; `false` if absent.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for any other value.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, ApiError> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(InvalidRequest::NotAFlag(name).into()),
        }
    }

    /// A parameter that is a timestamp.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for any other value.
    pub(crate) fn moment(&self, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
        self.text(name).map(|text| moment(name, text)).transpose()
    }

    /// `limit` and `cursor`.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a limit out of range.
    pub(crate) fn page(&self) -> Result<PageRequest, ApiError> {
        let limit = match self.text("limit").map(str::parse) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit @ 1..=MAX_LIMIT)) => limit,
            Some(_) => return Err(InvalidRequest::Limit(MAX_LIMIT).into()),
        };
        Ok(PageRequest { limit, cursor: self.text("cursor").map(str::to_owned) })
    }
}

/// The terms of a change: `If-Match` (RFC 9110 §13.1.1), and those of `dry_run` and `force` that are in `known`.
///
/// # Errors
/// [`ApiError::InvalidRequest`] for a malformed query or `If-Match`.
pub(crate) fn terms(parts: &Parts, known: &[&str]) -> Result<Terms, ApiError> {
    let query = Query::read(parts, known)?;
    let lines = parts.headers.get_all(header::IF_MATCH).iter().map(HeaderValue::as_bytes);
    let if_match = parts.headers.contains_key(header::IF_MATCH).then(|| IfMatch::parse(lines)).transpose()?;
    Ok(Terms { dry_run: query.flag("dry_run")?, force: query.flag("force")?.into(), if_match })
}

/// Refuses a query at a resource that takes none, since the client expects an effect that would not happen.
pub(crate) struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(ApiError::from(InvalidRequest::NoParameters).into()),
        }
    }
}
