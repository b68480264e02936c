//! What the pages are made of beside their text, each file in this binary.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};

use crate::http::failure::Failure;
use crate::management::ApiError;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    is_gzip: bool,
    body: &'static [u8],
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: [Asset; 5] = [
    Asset {
        name: "pico.css",
        media_type: STYLE,
        is_gzip: true,
        body: include_bytes!("assets/pico/pico.min.css.gz"),
    },
    plain("console.css", STYLE, include_bytes!("assets/console.css")),
    plain("console.js", SCRIPT, include_bytes!("assets/console.js")),
    plain("favicon.svg", "image/svg+xml", include_bytes!("assets/favicon.svg")),
    plain("LICENSE", "text/plain; charset=utf-8", include_bytes!("assets/pico/LICENSE")),
];

/// In the path of each file, so that it can be kept for ever: another binary with other files has another.
pub(super) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Context::new(&SHA256);
    for asset in &ASSETS {
        all.update(asset.body);
    }
    URL_SAFE_NO_PAD.encode(&all.finish().as_ref()[..6])
});

/// `GET /console/assets/{version}/{file}`, whichever version: there is only this one.
pub(super) async fn asset(path: Result<Path<(String, String)>, PathRejection>) -> Result<Response, Failure> {
    let Path((version, name)) = path.map_err(|_| ApiError::NotFound)?;
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(ApiError::NotFound)?;
    let kept = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    let described = [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, kept)];
    let mut response = (described, Bytes::from_static(asset.body)).into_response();
    if asset.is_gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

const fn plain(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Asset {
    Asset { name, media_type, is_gzip: false, body }
}
