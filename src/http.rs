//! The API over HTTP: every route on this page, handlers of a few lines, and one place that turns errors into responses
//! (`failure`).

mod answer;
pub(crate) mod audit;
pub(crate) mod background;
pub(crate) mod body;
mod body_permit;
mod client_auth;
pub(crate) mod compress;
mod configuration;
pub(crate) mod credentials;
pub(crate) mod denials;
pub(crate) mod discovery;
pub(crate) mod docs;
pub(crate) mod embedded;
pub(crate) mod export;
pub(crate) mod failure;
pub(crate) mod form;
pub(crate) mod format;
mod front;
mod gate;
pub(crate) mod health;
pub(crate) mod inventory;
pub(crate) mod issuers;
mod json;
mod key_list;
mod keys;
mod list_answer;
mod master_key;
pub(crate) mod measure;
pub(crate) mod members;
mod oauth;
mod organizations;
pub(crate) mod path;
mod portal_sessions;
mod projects;
mod proofs;
pub(crate) mod published;
pub(crate) mod query;
pub(crate) mod request_id;
mod revocations;
pub(crate) mod route;
mod schemes;
mod scopes;
mod signing_keys;
pub(crate) mod spreadsheet;
mod trust_rules;
mod usage;

use std::sync::Arc;

use self::failure::{api_method_not_allowed, oauth_method_not_allowed};
use self::route::routes;
use crate::node::Node;

pub use front::Front;
pub(crate) use proofs::with_nonce;
pub use route::Route;

routes! {
    // RFC 6749 §5.2: OAuth endpoints answer with OAuth errors.
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
        GET "/docs/operating/{page}" => docs::operating,
    }
    other methods: api_method_not_allowed, around: gate::add_error_header {
        GET "/v1/gate" => gate::check_described,
        ANY "/v1/gate/envoy/{options}/{*target}" => gate::check_forwarded,
    }
    other methods: api_method_not_allowed, around: denials::noted {
        GET "/v1/self" => keys::own,
    }
    // The management API. It takes long, and gives way to all of the above.
    other methods: api_method_not_allowed, around: denials::noted, around: background::in_background {
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

        GET "/v1/orgs/{org}/issuers" => issuers::list,
        POST "/v1/orgs/{org}/issuers" => issuers::create,
        GET "/v1/orgs/{org}/issuers/{issuer}" => issuers::read,
        PATCH "/v1/orgs/{org}/issuers/{issuer}" => issuers::change,
        DELETE "/v1/orgs/{org}/issuers/{issuer}" => issuers::delete,
        POST "/v1/orgs/{org}/issuers/{issuer}/check" => issuers::check,

        GET "/v1/scopes" => scopes::list,
        POST "/v1/scopes" => scopes::create,
        GET "/v1/scopes/{scope}" => scopes::read,
        PATCH "/v1/scopes/{scope}" => scopes::change,
        DELETE "/v1/scopes/{scope}" => scopes::delete,
        GET "/v1/orgs/{org}/scopes" => scopes::list,
        POST "/v1/orgs/{org}/scopes" => scopes::create,
        GET "/v1/orgs/{org}/scopes/{scope}" => scopes::read,
        PATCH "/v1/orgs/{org}/scopes/{scope}" => scopes::change,
        DELETE "/v1/orgs/{org}/scopes/{scope}" => scopes::delete,

        GET "/v1/members" => members::list,
        POST "/v1/members" => members::invite,
        GET "/v1/members/{usr}" => members::read,
        PATCH "/v1/members/{usr}" => members::change,
        DELETE "/v1/members/{usr}" => members::remove,
        POST "/v1/members/{usr}/invitation" => members::renew,
        GET "/v1/members/{usr}/keys" => members::keys,
        GET "/v1/orgs/{org}/members" => members::list,
        POST "/v1/orgs/{org}/members" => members::invite,
        GET "/v1/orgs/{org}/members/{usr}" => members::read,
        PATCH "/v1/orgs/{org}/members/{usr}" => members::change,
        DELETE "/v1/orgs/{org}/members/{usr}" => members::remove,
        POST "/v1/orgs/{org}/members/{usr}/invitation" => members::renew,
        GET "/v1/orgs/{org}/members/{usr}/keys" => members::keys,

        POST "/v1/orgs/{org}/portal-sessions" => portal_sessions::create,
        POST "/v1/orgs/{org}/portal-sessions/end" => portal_sessions::end,

        GET "/v1/keys" => keys::search,
        GET "/v1/orgs/{org}/keys" => key_list::list,
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
        POST "/v1/orgs/{org}/keys/{key}/public-keys" => keys::register,
        DELETE "/v1/orgs/{org}/keys/{key}/public-keys/{public_key}" => keys::remove_public_key,
        POST "/v1/orgs/{org}/keys/{key}/trust-rules" => trust_rules::add,
        DELETE "/v1/orgs/{org}/keys/{key}/trust-rules/{trust_rule}" => trust_rules::remove,

        GET "/v1/orgs/{org}/keys/{key}/usage" => usage::of_key,
        GET "/v1/orgs/{org}/usage" => usage::of_organization,

        GET "/v1/orgs/{org}/audit" => audit::of_organization,
        GET "/v1/audit" => audit::of_deployment,

        GET "/v1/signing-keys" => signing_keys::list,
        POST "/v1/signing-keys/rotate" => signing_keys::rotate,

        GET "/v1/master-key" => master_key::read,
        POST "/v1/master-key/rotate" => master_key::rotate,
        DELETE "/v1/master-key/{number}/tags" => master_key::end_tags,
    }
}
