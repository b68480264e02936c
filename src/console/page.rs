//! Responses of the console.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::failure::Failure;
use crate::http::spreadsheet::marked;
use crate::use_cases::management::ApiError;

/// A page, with `no-store`.
///
/// # Errors
/// [`Failure`] when the template can't be rendered.
pub(super) fn page(template: &impl Template) -> Result<Response, Failure> {
    let mut response = Html(html(template)?).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A form's page with an error on it.
pub(super) fn refused(template: &impl Template, error: ApiError) -> Failure {
    match html(template) {
        Ok(html) => Failure::Html { error, html },
        Err(error) => error.into(),
    }
}

/// Whether the visitor can fix the error by other input, or by trying again. The form is then shown with its input.
pub(super) fn is_mendable(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::InvalidRequest(_)
            | ApiError::Conflict(_)
            | ApiError::Forbidden(_)
            | ApiError::TooManyConcurrent
            | ApiError::RateLimited(_)
            | ApiError::Unavailable(_)
            | ApiError::NotReady(_)
    )
}

/// The query of a link, without empty values. The names need no encoding.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let encoded =
        said.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    encoded.collect::<Vec<_>>().join("&")
}

/// A path with its query, if the query is not empty.
pub(super) fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let query = query(pairs);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{path}{mark}{query}")
}

/// The HTML of a page.
///
/// # Errors
/// [`ApiError::Internal`] when the template can't be rendered.
pub(super) fn html(template: &impl Template) -> Result<String, ApiError> {
    template.render().map_err(ApiError::internal)
}

/// Redirects after a form (303) to `path`, which is a path of this server.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    // Never fails: paths consist of ids and percent-encoded text.
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A CSV download. `name` consists of ids, so it needs no quoting.
pub(super) fn spreadsheet(name: &str, body: Vec<u8>) -> Response {
    let described = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (described, marked(body)).into_response()
}
