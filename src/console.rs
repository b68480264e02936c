//! The console: server-rendered pages on which people manage API keys. They call the use cases of
//! [`crate::use_cases::management`]. Every page works without scripts and loads nothing from other origins.
//!
//! A page is a typed template (`src/console/templates`) and the data that it shows. Every response passes through
//! `src/console/middleware.rs`.

mod assets;
mod audit_page;
mod choose;
mod confirm;
mod cookie;
mod cross_site_link;
mod events;
mod explain;
mod fields;
mod home;
mod invitation;
mod issuers;
mod keys;
mod made_key;
mod members;
mod middleware;
mod named;
mod new_secrets;
mod next_page;
mod notice;
mod organization;
mod organizations;
mod origin;
mod overview;
mod page;
mod plot;
mod portal;
mod portal_frame;
mod portal_routes;
mod problem;
mod project;
mod projects;
mod review;
mod scopes;
mod session;
mod sessions;
mod set_up;
mod shell;
mod sign_in;
mod sign_in_answer;
mod sign_in_attempt;
mod sign_out;
mod signed_in;
mod signing_keys;
mod snippets;
mod stay;
mod step_up;
mod step_up_answer;
mod submitted_form;
mod unsent_form;
mod usage_by_key;
mod usage_columns;
mod usage_over_time;
mod usage_page;
mod usage_view;
mod visitor;
mod when;
mod withdrawal;
mod wrong;

use std::sync::Arc;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};

use crate::http::Route;
use crate::http::background;
use crate::http::compress;
use crate::http::failure::{api_method_not_allowed, not_found};
use crate::http::route::routes;
use crate::node::Node;
use crate::use_cases::set_up::SetUp;

use self::new_secrets::NewSecrets;

pub use self::portal_routes::ROUTES as PORTAL_ROUTES;
pub(crate) use self::set_up::set_up_router;

routes! {
    other methods: api_method_not_allowed {
        GET "/console" => home::home,
        GET "/console/sign-in" => sign_in::page,
        POST "/console/sign-in" => sign_in::sign_in,
        POST "/console/session" => stay::stay,
        POST "/console/sign-in/with/{provider}" => sign_in_attempt::begin,
        GET "/console/sign-in/callback" => sign_in_answer::answer,
        POST "/console/sign-in/choose" => choose::choose,
        GET "/console/invitation" => invitation::page,
        POST "/console/invitation" => invitation::redeem,
        POST "/console/sign-out" => sign_out::sign_out,
        GET "/console/set-up" => set_up::over,
        POST "/console/set-up" => set_up::late,
        POST "/console/set-up/saved" => set_up::saved,
        GET "/console/scope" => explain::explanation,
        GET "/console/range" => explain::range,
        GET "/console/orgs" => organizations::list,
        POST "/console/orgs" => organizations::create,
        GET "/console/orgs/{org}" => overview::show,
        GET "/console/orgs/{org}/edit" => organization::edit,
        POST "/console/orgs/{org}/edit" => organization::rename,
        GET "/console/orgs/{org}/delete" => organization::ask_delete,
        POST "/console/orgs/{org}/delete" => organization::delete,
        GET "/console/audit" => audit_page::show_deployment,
        GET "/console/audit.csv" => audit_page::export_deployment,
        GET "/console/signing-keys" => signing_keys::show,
        POST "/console/signing-keys" => signing_keys::publish,
        GET "/console/signing-keys/{kid}/withdraw" => withdrawal::ask,
        POST "/console/signing-keys/{kid}/withdraw" => withdrawal::withdraw,
        GET "/console/orgs/{org}/keys" => keys::list,
        GET "/console/orgs/{org}/keys/new" => keys::new::form,
        POST "/console/orgs/{org}/keys/new" => keys::new::create,
        POST "/console/orgs/{org}/keys/summary" => keys::summary::show,
        GET "/console/orgs/{org}/keys.csv" => keys::export::of_list,
        POST "/console/orgs/{org}/keys/selected/export" => keys::export::of_selected,
        POST "/console/orgs/{org}/keys/selected" => keys::selected::ask,
        POST "/console/orgs/{org}/keys/selected/act" => keys::selected::act,
        GET "/console/orgs/{org}/keys/{key}" => keys::show::show,
        GET "/console/orgs/{org}/keys/{key}/edit" => keys::edit::form,
        POST "/console/orgs/{org}/keys/{key}/edit" => keys::edit::change,
        GET "/console/orgs/{org}/keys/{key}/rotate" => keys::act::ask_rotate,
        POST "/console/orgs/{org}/keys/{key}/rotate" => keys::act::rotate,
        GET "/console/orgs/{org}/keys/{key}/disable" => keys::disable::ask_disable,
        POST "/console/orgs/{org}/keys/{key}/disable" => keys::disable::disable,
        GET "/console/orgs/{org}/keys/{key}/enable" => keys::disable::ask_enable,
        POST "/console/orgs/{org}/keys/{key}/enable" => keys::disable::enable,
        GET "/console/orgs/{org}/keys/{key}/revoke" => keys::act::ask_revoke,
        POST "/console/orgs/{org}/keys/{key}/revoke" => keys::act::revoke,
        GET "/console/orgs/{org}/keys/{key}/delete" => keys::act::ask_delete,
        POST "/console/orgs/{org}/keys/{key}/delete" => keys::act::delete,
        GET "/console/orgs/{org}/keys/{key}/secrets/{secret}/retire" => keys::act::ask_retire,
        POST "/console/orgs/{org}/keys/{key}/secrets/{secret}/retire" => keys::act::retire,

        GET "/console/orgs/{org}/keys/{key}/public-keys/new" => keys::public_keys::form,
        POST "/console/orgs/{org}/keys/{key}/public-keys/new" => keys::public_keys::register,
        GET "/console/orgs/{org}/keys/{key}/public-keys/{public_key}/remove" => keys::public_keys::ask_remove,
        POST "/console/orgs/{org}/keys/{key}/public-keys/{public_key}/remove" => keys::public_keys::remove,

        GET "/console/orgs/{org}/keys/{key}/trust-rules/new" => keys::trust_rules::form,
        POST "/console/orgs/{org}/keys/{key}/trust-rules/new" => keys::trust_rules::add,
        GET "/console/orgs/{org}/keys/{key}/trust-rules/{trust_rule}/remove" => keys::trust_rules::ask_remove,
        POST "/console/orgs/{org}/keys/{key}/trust-rules/{trust_rule}/remove" => keys::trust_rules::remove,

        GET "/console/orgs/{org}/usage" => usage_page::show,
        GET "/console/orgs/{org}/usage.csv" => usage_page::export,
        GET "/console/orgs/{org}/usage-by-key.csv" => usage_by_key::export,
        GET "/console/orgs/{org}/audit" => audit_page::show,
        GET "/console/orgs/{org}/audit.csv" => audit_page::export,
        GET "/console/orgs/{org}/projects" => projects::list,
        POST "/console/orgs/{org}/projects" => projects::create,
        GET "/console/orgs/{org}/projects/{project}" => project::edit,
        POST "/console/orgs/{org}/projects/{project}" => project::change,
        GET "/console/orgs/{org}/projects/{project}/delete" => project::ask_delete,
        POST "/console/orgs/{org}/projects/{project}/delete" => project::delete,
        GET "/console/sessions" => sessions::list,
        POST "/console/sessions" => sessions::end,
        GET "/console/members" => members::list,
        POST "/console/members" => members::invite,
        GET "/console/members/{usr}" => members::show::show,
        POST "/console/members/{usr}" => members::act::change,
        POST "/console/members/{usr}/invitation" => members::act::renew,
        GET "/console/members/{usr}/remove" => members::act::ask_remove,
        POST "/console/members/{usr}/remove" => members::act::remove,
        GET "/console/orgs/{org}/members" => members::list,
        POST "/console/orgs/{org}/members" => members::invite,
        GET "/console/orgs/{org}/members/{usr}" => members::show::show,
        POST "/console/orgs/{org}/members/{usr}" => members::act::change,
        POST "/console/orgs/{org}/members/{usr}/invitation" => members::act::renew,
        GET "/console/orgs/{org}/members/{usr}/remove" => members::act::ask_remove,
        POST "/console/orgs/{org}/members/{usr}/remove" => members::act::remove,

        GET "/console/scopes" => scopes::list,
        POST "/console/scopes" => scopes::create,
        GET "/console/scopes/{scope}/edit" => scopes::edit::form,
        POST "/console/scopes/{scope}/edit" => scopes::edit::change,
        GET "/console/scopes/{scope}/remove" => scopes::remove::ask,
        POST "/console/scopes/{scope}/remove" => scopes::remove::remove,
        GET "/console/orgs/{org}/scopes" => scopes::list,
        POST "/console/orgs/{org}/scopes" => scopes::create,
        GET "/console/orgs/{org}/scopes/{scope}/edit" => scopes::edit::form,
        POST "/console/orgs/{org}/scopes/{scope}/edit" => scopes::edit::change,
        GET "/console/orgs/{org}/scopes/{scope}/remove" => scopes::remove::ask,
        POST "/console/orgs/{org}/scopes/{scope}/remove" => scopes::remove::remove,

        GET "/console/orgs/{org}/issuers" => issuers::list,
        POST "/console/orgs/{org}/issuers" => issuers::create,
        GET "/console/orgs/{org}/issuers/{issuer}" => issuers::show::show,
        GET "/console/orgs/{org}/issuers/{issuer}/edit" => issuers::edit::form,
        POST "/console/orgs/{org}/issuers/{issuer}/edit" => issuers::edit::change,
        GET "/console/orgs/{org}/issuers/{issuer}/disable" => issuers::act::ask_disable,
        POST "/console/orgs/{org}/issuers/{issuer}/disable" => issuers::act::disable,
        GET "/console/orgs/{org}/issuers/{issuer}/enable" => issuers::act::ask_enable,
        POST "/console/orgs/{org}/issuers/{issuer}/enable" => issuers::act::enable,
        GET "/console/orgs/{org}/issuers/{issuer}/remove" => issuers::act::ask_remove,
        POST "/console/orgs/{org}/issuers/{issuer}/remove" => issuers::act::remove,
        GET "/console/orgs/{org}/issuers/{issuer}/check" => issuers::check::form,
        POST "/console/orgs/{org}/issuers/{issuer}/check" => issuers::check::check,

        GET "/console/assets/{version}/{file}" => assets::asset,
        ANY "/console/{*rest}" => not_found,
    }
}

/// The console's routes. `set_up` is present if this process began with an empty store.
pub(crate) fn router(node: &Arc<Node>, set_up: Option<&Arc<SetUp>>) -> Router<Arc<Node>> {
    let new_secrets = NewSecrets::new(node.clock.clone());
    let pages = endpoints()
        .route_layer(from_fn_with_state(Arc::clone(node), middleware::around))
        .route_layer(compress::layer())
        .route_layer(Extension(new_secrets))
        .route_layer(from_fn(background::in_background));
    let pages = pages.merge(portal_routes::router(node));
    match set_up {
        Some(set_up) => pages.route_layer(Extension(Arc::clone(set_up))),
        None => pages,
    }
}
