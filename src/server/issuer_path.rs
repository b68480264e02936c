//! Mounts routes at the root and below the issuer's path.

use axum::Router;
use axum::response::Redirect;
use axum::routing::{MethodRouter, get};

use crate::console;
use crate::http::failure::{api_method_not_allowed, not_found};
use crate::http::{self, discovery};

/// Mounts `all` at the root and below the issuer's path.
pub(super) fn at_issuer<S: Clone + Send + Sync + 'static>(
    issuer: &str,
    all: impl Fn() -> Router<S>,
    metadata: MethodRouter<S>,
) -> Router<S> {
    let path = discovery::path_of(issuer);
    let mut router = with_addresses_as_typed(all(), "", path);
    if !path.is_empty() {
        router = with_addresses_as_typed(router, path, path);
        // Works behind a proxy that strips the issuer's path, and behind one that keeps it.
        router = router.nest(path, all());
        for well_known in [discovery::OAUTH_METADATA, discovery::OPENID_METADATA] {
            // RFC 8414 §3.1: the well-known path comes between the host and the issuer's path.
            router = router.route(&format!("{well_known}{path}"), metadata.clone());
        }
    }
    router.fallback(not_found).method_not_allowed_fallback(api_method_not_allowed)
}

/// The addresses that people type into a browser, and the pages that they mean.
const TYPED: [(&str, &str); 3] = [("/", "/console"), ("/console/", "/console"), ("/docs/", "/docs")];

/// The paths of all routes at the root and below the issuer's path, each with its template, which is the path at the
/// root.
pub(super) fn paths(issuer: &str) -> impl Iterator<Item = (String, &'static str)> {
    let below = discovery::path_of(issuer).to_owned();
    let routes =
        http::ROUTES.iter().chain(console::ROUTES).chain(console::PORTAL_ROUTES).map(|route| route.path);
    let templates = routes.chain(TYPED.iter().map(|(typed, _)| *typed));
    let mounted = templates.flat_map({
        let below = below.clone();
        move |template| [(template.to_owned(), template), (format!("{below}{template}"), template)]
    });
    let well_known = [discovery::OAUTH_METADATA, discovery::OPENID_METADATA];
    let inserted = well_known.map(|template| (format!("{template}{below}"), template));
    mounted.chain(inserted).chain([(below, "/")])
}

/// Redirects the addresses that people type into a browser to the right pages. `below` is the path at which the server
/// receives requests; `outside` is the path that clients see.
fn with_addresses_as_typed<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    below: &str,
    outside: &str,
) -> Router<S> {
    let mut typed = Vec::from(TYPED);
    if !below.is_empty() {
        typed.push(("", "/console"));
    }
    typed.into_iter().fold(router, |router, (typed, meant)| {
        let meant = format!("{outside}{meant}");
        router.route(&format!("{below}{typed}"), get(async move || Redirect::to(&meant)))
    })
}
