//! The portal in the vendor's name and colours.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::domain::portal::{PortalGrant, PortalSettings};
use crate::http::failure::Failure;
use crate::node::Node;
use crate::use_cases::management::ApiError;

/// What the shell of a page of the portal shows, in place of the console's.
#[derive(Clone, Debug)]
pub(in crate::console) struct PortalFrame {
    /// The vendor's name.
    pub(in crate::console) name: Option<String>,
    /// The heading above the list.
    pub(in crate::console) title: String,
    pub(in crate::console) help: Option<String>,
    pub(in crate::console) help_url: Option<String>,
    /// The path of the logo.
    pub(in crate::console) logo: Option<String>,
    /// The path of a style sheet with the vendor's colours.
    pub(in crate::console) theme: Option<String>,
    /// The page of the vendor's product to which the portal leads back.
    pub(in crate::console) back: Option<String>,
}

impl PortalFrame {
    /// `base` is the portal's path.
    pub(in crate::console) fn new(node: &Node, base: &str, granted: Option<&PortalGrant>) -> Self {
        let PortalSettings { name, title, help, help_url, logo, accents, .. } = &node.deployment.portal;
        Self {
            name: name.clone(),
            title: title.clone().unwrap_or_else(|| "API keys".into()),
            help: help.clone(),
            help_url: help_url.as_ref().map(ToString::to_string),
            logo: logo.is_some().then(|| format!("{base}/logo")),
            theme: accents.is_some().then(|| format!("{base}/theme.css")),
            back: granted.and_then(|granted| granted.return_url.as_ref()).map(ToString::to_string),
        }
    }
}

/// `GET /portal/theme.css`.
pub(super) async fn theme(State(node): State<Arc<Node>>) -> Result<Response, Failure> {
    let accents = node.deployment.portal.accents.ok_or(ApiError::NotFound)?;
    let described =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")];
    Ok((described, accents.style_sheet()).into_response())
}

/// `GET /portal/logo`.
pub(super) async fn logo(State(node): State<Arc<Node>>) -> Result<Response, Failure> {
    let logo = node.deployment.portal.logo.clone().ok_or(ApiError::NotFound)?;
    let described = [
        (header::CONTENT_TYPE, logo.media_type),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((described, logo.bytes.to_vec()).into_response())
}
