//! Style sheets, scripts and pictures of the pages, embedded in this binary.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};

use crate::http::embedded::{Embedded, SCRIPT, STYLE, TEXT};
use crate::http::failure::Failure;
use crate::use_cases::management::ApiError;

static ASSETS: &[Embedded] = &[
    Embedded::gzip("pico.css", STYLE, include_bytes!("assets/pico/pico.min.css.gz")),
    Embedded::plain("console.css", STYLE, include_bytes!("assets/console.css")),
    Embedded::plain("pages.css", STYLE, include_bytes!("assets/pages.css")),
    Embedded::plain("form.css", STYLE, include_bytes!("assets/form.css")),
    Embedded::plain("list.css", STYLE, include_bytes!("assets/list.css")),
    Embedded::plain("portal.css", STYLE, include_bytes!("assets/portal.css")),
    Embedded::plain("console.js", SCRIPT, include_bytes!("assets/console.js")),
    Embedded::plain("charts.js", SCRIPT, include_bytes!("assets/charts.js")),
    Embedded::plain("copy.js", SCRIPT, include_bytes!("assets/copy.js")),
    Embedded::plain("list.js", SCRIPT, include_bytes!("assets/list.js")),
    Embedded::plain("session.js", SCRIPT, include_bytes!("assets/session.js")),
    Embedded::plain("invitation.js", SCRIPT, include_bytes!("assets/invitation.js")),
    Embedded::plain("portal.js", SCRIPT, include_bytes!("assets/portal.js")),
    Embedded::plain("times.js", SCRIPT, include_bytes!("assets/times.js")),
    Embedded::plain("form.js", SCRIPT, include_bytes!("assets/form.js")),
    Embedded::plain("trust.js", SCRIPT, include_bytes!("assets/trust.js")),
    Embedded::plain("favicon.svg", "image/svg+xml", include_bytes!("assets/favicon.svg")),
    Embedded::plain("LICENSE", TEXT, include_bytes!("assets/pico/LICENSE")),
];

/// A hash of all files, which is part of their paths. Browsers may cache a file forever, since changed files get other
/// paths.
pub(super) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Context::new(&SHA256);
    for asset in ASSETS {
        all.update(asset.body);
    }
    URL_SAFE_NO_PAD.encode(&all.finish().as_ref()[..6])
});

/// `GET /console/assets/{version}/{file}`. Any version gets the current file, but only the current version is
/// cacheable.
pub(super) async fn asset(path: Result<Path<(String, String)>, PathRejection>) -> Result<Response, Failure> {
    let Path((version, name)) = path.map_err(|_| ApiError::NotFound)?;
    let asset = Embedded::named(&name, ASSETS)?;
    let kept = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    let described = [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, kept)];
    Ok(asset.encoded((described, asset.bytes()).into_response()))
}
