//! The HTTP face: every route on this page, handlers of a few lines, one place that turns errors into
//! responses (`failure`).

mod answer;
pub(crate) mod audit;
pub(crate) mod body;
mod client_auth;
pub(crate) mod compress;
mod configuration;
pub(crate) mod credentials;
pub(crate) mod denials;
pub(crate) mod discovery;
mod docs;
pub(crate) mod embedded;
pub(crate) mod failure;
pub(crate) mod form;
mod front;
mod gate;
mod health;
mod held;
mod json;
mod keys;
mod oauth;
mod organizations;
mod page;
pub(crate) mod path;
mod projects;
pub(crate) mod published;
pub(crate) mod query;
pub(crate) mod request_id;
mod revocations;
pub(crate) mod route;
mod signing_keys;
pub(crate) mod spreadsheet;
mod switch;
mod usage;
mod waiting;

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{MethodRouter, get};

use self::failure::{api_method_not_allowed, not_found, oauth_method_not_allowed};
use self::route::routes;
use crate::console;
use crate::entropy::EntropyError;
use crate::node::Node;
use crate::set_up::SetUp;

pub use front::Front;
pub use route::Route;
pub use switch::{Doors, Switch};

routes! {
    // RFC 6749 §5.2: whoever speaks OAuth is answered in OAuth's words.
    other methods: oauth_method_not_allowed {
        POST "/oauth/token" => oauth::token,
        POST "/oauth/introspect" => oauth::introspect,
        POST "/oauth/revoke" => oauth::revoke,
    }
    other methods: api_method_not_allowed {
        GET "/oauth/revocations" => revocations::feed,
        GET "/.well-known/jwks.json" => discovery::jwks,
        GET discovery::OAUTH_METADATA => discovery::metadata,
        GET discovery::OPENID_METADATA => discovery::metadata,
        GET "/healthz" => health::alive,
        GET "/readyz" => health::ready,
    }
    other methods: api_method_not_allowed, around: compress::published {
        GET "/openapi.yaml" => docs::description,
        GET "/llms.txt" => docs::index,
        GET "/docs" => docs::page,
        GET "/docs/{file}" => docs::part,
    }
    other methods: api_method_not_allowed, around: gate::named {
        GET "/v1/gate" => gate::check,
        ANY "/v1/gate/envoy/{options}/{*target}" => gate::check_original,
    }
    // The management API.
    other methods: api_method_not_allowed, around: denials::noted {
        GET "/v1/self" => keys::own,

        GET "/v1/orgs" => organizations::list,
        POST "/v1/orgs" => organizations::create,
        GET "/v1/orgs/{org}" => organizations::read,
        PATCH "/v1/orgs/{org}" => organizations::change,
        DELETE "/v1/orgs/{org}" => organizations::delete,

        GET "/v1/orgs/{org}/configuration" => configuration::export,
        PUT "/v1/orgs/{org}/configuration" => configuration::apply,

        GET "/v1/orgs/{org}/projects" => projects::list,
        POST "/v1/orgs/{org}/projects" => projects::create,
        GET "/v1/orgs/{org}/projects/{project}" => projects::read,
        PATCH "/v1/orgs/{org}/projects/{project}" => projects::change,
        DELETE "/v1/orgs/{org}/projects/{project}" => projects::delete,

        GET "/v1/keys" => keys::search,
        GET "/v1/orgs/{org}/keys" => keys::list,
        POST "/v1/orgs/{org}/keys" => keys::create,
        POST "/v1/orgs/{org}/keys/revoke" => keys::revoke_all,
        POST "/v1/orgs/{org}/keys/disable" => keys::disable_all,
        POST "/v1/orgs/{org}/keys/enable" => keys::enable_all,
        POST "/v1/orgs/{org}/keys/rescope" => keys::rescope_all,
        GET "/v1/orgs/{org}/keys/{key}" => keys::read,
        PATCH "/v1/orgs/{org}/keys/{key}" => keys::change,
        DELETE "/v1/orgs/{org}/keys/{key}" => keys::delete,
        POST "/v1/orgs/{org}/keys/{key}/rotate" => keys::rotate,
        POST "/v1/orgs/{org}/keys/{key}/revoke" => keys::revoke,
        DELETE "/v1/orgs/{org}/keys/{key}/secrets/{secret}" => keys::retire,

        GET "/v1/orgs/{org}/keys/{key}/usage" => usage::of_key,
        GET "/v1/orgs/{org}/usage" => usage::of_organization,

        GET "/v1/orgs/{org}/audit" => audit::of_organization,
        GET "/v1/audit" => audit::of_deployment,

        GET "/v1/signing-keys" => signing_keys::list,
        POST "/v1/signing-keys/rotate" => signing_keys::rotate,
    }
}

/// The whole server as one service.
///
/// # Errors
/// When the system has no randomness.
pub fn service(node: Arc<Node>) -> Result<Front<Router>, EntropyError> {
    Front::new(whole(&node, None), &node.deployment.issuer, &node.entropy)
}

/// A server whose store has to be set up first: then the [`Doors`] let it become the whole.
///
/// # Errors
/// When the system has no randomness.
pub fn until_set_up(set_up: &Arc<SetUp>) -> Result<(Front<Switch>, Doors), EntropyError> {
    let (doors, ground) = (Doors::default(), &set_up.ground);
    let switch = Switch::new(waiting::router(set_up), doors.clone());
    Ok((Front::new(switch, &ground.deployment.issuer, &ground.entropy)?, doors))
}

/// All routes; `laid` is the set-up that this process began with, if it did.
fn whole(node: &Arc<Node>, laid: Option<&Arc<SetUp>>) -> Router {
    let all = || endpoints().merge(console::router(node, laid));
    at_issuer(&node.deployment.issuer, all, get(discovery::metadata)).with_state(Arc::clone(node))
}

/// `all` the routes, where a server of this issuer is asked for them.
fn at_issuer<S: Clone + Send + Sync + 'static>(
    issuer: &str,
    all: impl Fn() -> Router<S>,
    metadata: MethodRouter<S>,
) -> Router<S> {
    let path = discovery::path_of(issuer);
    let mut router = with_addresses_as_typed(all(), "", path);
    if !path.is_empty() {
        router = with_addresses_as_typed(router, path, path);
        // Both with a proxy that strips the issuer's path and with one that passes it on.
        router = router.nest(path, all());
        for well_known in [discovery::OAUTH_METADATA, discovery::OPENID_METADATA] {
            // RFC 8414 §3.1: inserted between the host and the issuer's path.
            router = router.route(&format!("{well_known}{path}"), metadata.clone());
        }
    }
    router.fallback(not_found).method_not_allowed_fallback(api_method_not_allowed)
}

/// What people type into a browser leads to the pages that they mean. The server may be asked `below` another path than
/// the one that it has `outside`.
fn with_addresses_as_typed<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    below: &str,
    outside: &str,
) -> Router<S> {
    let mut typed = vec![("/", "/console"), ("/console/", "/console"), ("/docs/", "/docs")];
    if !below.is_empty() {
        typed.push(("", "/console"));
    }
    typed.into_iter().fold(router, |router, (typed, meant)| {
        let meant = format!("{outside}{meant}");
        router.route(&format!("{below}{typed}"), get(async move || Redirect::to(&meant)))
    })
}
