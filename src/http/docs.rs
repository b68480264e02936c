//! Serves the API's description, a page that renders it without any third-party content, and the documentation.

mod pages;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

use self::pages::{OPERATING_PAGES, PAGES};
use super::embedded::{Embedded, SCRIPT, STYLE, TEXT};
use super::failure::Failure;
use super::published::Published;
use crate::use_cases::management::ApiError;

const DESCRIPTION: &str = include_str!("../../openapi.yaml");
const PAGE: &str = include_str!("docs/page.html");
/// In the format of <https://llmstxt.org>. The links are relative, so they work under every issuer.
const INDEX: &str = include_str!("../../llms.txt");

/// Scripts and styles come from this origin only, and none is inline. The style sheet embeds its pictures as `data:`
/// URLs.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES: [Embedded; 6] = [
    Embedded::plain("page.js", SCRIPT, include_bytes!("docs/page.js")),
    Embedded::gzip("swagger-ui.css", STYLE, include_bytes!("docs/swagger-ui/swagger-ui.css.gz")),
    Embedded::gzip("swagger-ui-bundle.js", SCRIPT, include_bytes!("docs/swagger-ui/swagger-ui-bundle.js.gz")),
    Embedded::plain(
        "swagger-ui-bundle.js.LICENSE.txt",
        TEXT,
        include_bytes!("docs/swagger-ui/swagger-ui-bundle.js.LICENSE.txt"),
    ),
    Embedded::plain("LICENSE", TEXT, include_bytes!("docs/swagger-ui/LICENSE")),
    Embedded::plain("NOTICE", TEXT, include_bytes!("docs/swagger-ui/NOTICE")),
];

/// `GET /openapi.yaml`.
pub(crate) async fn description(headers: HeaderMap) -> Response {
    // RFC 9512 §2.1.
    let description = Published { media_type: "application/yaml", body: DESCRIPTION.into() };
    description.answer(&headers)
}

/// `GET /docs`.
pub(crate) async fn page(headers: HeaderMap) -> Response {
    let page = Published { media_type: "text/html; charset=utf-8", body: PAGE.into() };
    let mut response = page.answer(&headers);
    set(&mut response, header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

/// `GET /llms.txt`.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    Published { media_type: TEXT, body: INDEX.into() }.answer(&headers)
}

/// `GET /docs/{file}`.
pub(crate) async fn part(
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    answer(name, &headers, FILES.iter().chain(&PAGES))
}

/// `GET /docs/operating/{page}`.
pub(crate) async fn operating(
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    answer(name, &headers, &OPERATING_PAGES)
}

fn answer<'f>(
    name: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
    files: impl IntoIterator<Item = &'f Embedded>,
) -> Result<Response, Failure> {
    let Path(name) = name.map_err(|_| ApiError::NotFound)?;
    let file = Embedded::named(&name, files)?;
    let published = Published { media_type: file.media_type, body: file.bytes() };
    Ok(file.encoded(published.answer(headers)))
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
