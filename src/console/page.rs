//! Answers of the console's.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::failure::Failure;
use crate::http::spreadsheet::marked;
use crate::use_cases::management::ApiError;

/// A page, not to be kept by anybody.
///
/// # Errors
/// When the template can't be filled in, which none of ours can fail to be.
pub(super) fn page(template: &impl Template) -> Result<Response, Failure> {
    let mut response = Html(html(template)?).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The page of a form once more, with what is wrong on it.
pub(super) fn refused(template: &impl Template, error: ApiError) -> Failure {
    match html(template) {
        Ok(html) => Failure::Page { error, html },
        Err(error) => error.into(),
    }
}

/// Whether another filling-in of the form may be taken, or this one later: then it is shown with what was typed.
pub(super) fn is_mendable(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::InvalidRequest(_)
            | ApiError::Conflict(_)
            | ApiError::Forbidden { .. }
            | ApiError::TooManyConcurrent
            | ApiError::RateLimited(_)
            | ApiError::Unavailable(_)
            | ApiError::NotReady(_)
    )
}

/// The query of a link: what there is to say, of pairs whose names need no encoding.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let encoded =
        said.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    encoded.collect::<Vec<_>>().join("&")
}

/// The address of a page, with what there is to say in its query.
pub(super) fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let query = query(pairs);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{path}{mark}{query}")
}

/// The text of a page.
///
/// # Errors
/// As [`page`].
pub(super) fn html(template: &impl Template) -> Result<String, ApiError> {
    template.render().map_err(ApiError::internal)
}

/// After a form: the browser is to look at `path`, which is one of this server's.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    // A path of ours is made of ids and encoded text.
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A table to be kept as a file of this name, which is made of ids. People open it in a spreadsheet.
pub(super) fn spreadsheet(name: &str, body: Vec<u8>) -> Response {
    let described = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (described, marked(body)).into_response()
}
