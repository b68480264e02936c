//! Sets up an empty store. This is the only page before anybody can sign in.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get};

use super::fields::Fields;
use super::page::{page, refused, see_other};
use super::problem::sentence;
use super::shell::{Shell, base_of};
use super::{assets, middleware, origin};
use crate::http::credentials::ClientAddress;
use crate::http::failure::{Failure, api_method_not_allowed};
use crate::http::request_id::RequestId;
use crate::jose::jwk::Algorithm;
use crate::node::keyring::SigningKeySource;
use crate::node::{Node, run_to_completion};
use crate::use_cases::bootstrap::BootstrapError;
use crate::use_cases::management::{ApiError, Conflict, Forbidden, InvalidRequest};
use crate::use_cases::set_up::{CompletedSetUp, SetUp, SetUpError};

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    shell: Shell,
    host: String,
    signing_key: String,
    /// The error of the code.
    code_error: Option<String>,
    /// Any other error.
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "set_up_done.html")]
struct DonePage<'a> {
    shell: Shell,
    key: &'a str,
    prefix: String,
    receipt: &'a str,
    master_key: String,
    admin_file: String,
}

/// The console of an empty store: every page leads to the set-up.
pub(crate) fn set_up_router(set_up: &Arc<SetUp>) -> Router<Arc<SetUp>> {
    Router::new()
        .route("/console", any(lead))
        .route("/console/{*rest}", any(lead))
        .route("/console/set-up", get(form).post(complete))
        .route("/console/assets/{version}/{file}", get(assets::asset))
        .method_not_allowed_fallback(api_method_not_allowed)
        .route_layer(from_fn_with_state(Arc::clone(set_up), dressed))
}

/// `/console/set-up` after the set-up: redirects to the sign-in page.
pub(super) async fn over(State(node): State<Arc<Node>>) -> Response {
    to_sign_in(&node.deployment.issuer)
}

/// `POST /console/set-up` after the set-up. A browser drops the response to the first of two clicks, so the second
/// submission of the successful form shows the key, too.
pub(super) async fn late(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let (parts, _, fields) = Fields::read(request).await?;
    let Some(set_up) = parts.extensions.get::<Arc<SetUp>>() else {
        return Ok(to_sign_in(&node.deployment.issuer));
    };
    let ClientAddress(address) = ClientAddress::by(&node.deployment.addresses, &parts)?;
    let Ok(code) = fields.text("code").parse() else { return Ok(to_sign_in(&node.deployment.issuer)) };
    match set_up.completed_recently(&code, address).await {
        Ok(Some(completed)) => done(set_up, &completed),
        Ok(None) | Err(_) => Ok(to_sign_in(&node.deployment.issuer)),
    }
}

/// `POST /console/set-up/saved`: the administrator has saved the key.
pub(super) async fn saved(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Failure> {
    origin::check(&node, request.headers())?;
    let (parts, _, fields) = Fields::read(request).await?;
    // Another process may have shown the key.
    if let Some(set_up) = parts.extensions.get::<Arc<SetUp>>()
        && let Ok(receipt) = fields.text("receipt").parse()
    {
        set_up.saved(&receipt).await;
    }
    Ok(to_sign_in(&node.deployment.issuer))
}

async fn lead(State(set_up): State<Arc<SetUp>>) -> Response {
    see_other(&format!("{}/set-up", base_of(&set_up.context.deployment.issuer)))
}

/// `GET /console/set-up`.
async fn form(State(set_up): State<Arc<SetUp>>) -> Result<Response, Failure> {
    page(&SetUpPage::of(&set_up))
}

/// `POST /console/set-up`.
async fn complete(State(set_up): State<Arc<SetUp>>, request: Request) -> Result<Response, Failure> {
    let deployment = &set_up.context.deployment;
    origin::check_at(&deployment.issuer, request.headers())?;
    let (parts, _, fields) = Fields::read(request).await?;
    let ClientAddress(address) = ClientAddress::by(&deployment.addresses, &parts)?;
    let Ok(code) = fields.text("code").parse() else { return Err(unreadable(&set_up)) };
    let completing = Arc::clone(&set_up);
    let completed = run_to_completion(async move { completing.complete(&code, address).await }).await;
    match completed.ok_or_else(|| ApiError::internal("the set-up panicked"))? {
        Ok(completed) => {
            set_up.ended().await;
            done(&set_up, &completed)
        }
        Err(SetUpError::Bootstrap(BootstrapError::Done)) => {
            set_up.ended().await;
            Ok(to_sign_in(&deployment.issuer))
        }
        Err(error) => Err(again(&set_up, error)),
    }
}

/// Shows the administrator's key, once.
fn done(set_up: &SetUp, completed: &CompletedSetUp) -> Result<Response, Failure> {
    let (context, admin) = (&set_up.context, &completed.admin);
    page(&DonePage {
        shell: Shell::outside(&context.deployment.issuer),
        key: admin.expose(),
        prefix: admin.display_prefix(),
        receipt: &completed.receipt.expose(),
        master_key: context.bootstrapper().master_key.to_string(),
        admin_file: context.admin_file().display().to_string(),
    })
}

fn to_sign_in(issuer: &str) -> Response {
    see_other(&format!("{}/sign-in?why=set-up", base_of(issuer)))
}

fn unreadable(set_up: &SetUp) -> Failure {
    let said = "The code has 28 letters and digits in groups of four. Check that you entered the whole code.";
    let page = SetUpPage { code_error: Some(said.into()), ..SetUpPage::of(set_up) };
    refused(&page, InvalidRequest::NotACode.into())
}

/// The form again without its input, which may be close to the code.
fn again(set_up: &SetUp, error: SetUpError) -> Failure {
    let (page, said) = (SetUpPage::of(set_up), sentence(&error.to_string()));
    match error {
        SetUpError::WrongCode => {
            let said = format!("{said} The server creates a new code each time it starts.");
            let error = Forbidden::WrongCode.into();
            refused(&SetUpPage { code_error: Some(said), ..page }, error)
        }
        SetUpError::TooMany(seconds) => {
            refused(&SetUpPage { code_error: Some(said), ..page }, ApiError::RateLimited(seconds))
        }
        SetUpError::Bootstrap(error) => {
            let error = fault(error);
            refused(&SetUpPage { error: Some(sentence(&error.message())), ..page }, error)
        }
    }
}

/// Reveals faults of the key files. Only somebody with the code gets here.
fn fault(error: BootstrapError) -> ApiError {
    match error {
        BootstrapError::Store(error) => error.into(),
        BootstrapError::MasterKey(_)
        | BootstrapError::OthersAdministrator(_)
        | BootstrapError::File(_)
        | BootstrapError::SigningKey(_) => Conflict::Bootstrap(error.to_string()).into(),
        error => ApiError::internal(error),
    }
}

fn made_here(algorithm: Algorithm) -> String {
    format!("The server creates it for {algorithm} and rotates it automatically.")
}

impl SetUpPage {
    fn of(set_up: &SetUp) -> Self {
        let deployment = &set_up.context.deployment;
        let issuer = &deployment.issuer;
        let host = issuer.split_once("://").map_or(issuer.as_str(), |(_, host)| host);
        let signing_key = match &deployment.rotation.source {
            SigningKeySource::Unset => made_here(Algorithm::Es256),
            SigningKeySource::Generate(algorithm) => made_here(*algorithm),
            SigningKeySource::Pem(_) => "The server uses the key in the file that you configured.".to_owned(),
        };
        let shell = Shell::outside(issuer);
        Self { shell, host: host.to_owned(), signing_key, code_error: None, error: None }
    }
}

/// Middleware around the routes of the set-up, like the console's.
async fn dressed(State(set_up): State<Arc<SetUp>>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let response = next.run(request).await;
    middleware::dressed(response, id, || Shell::outside(&set_up.context.deployment.issuer))
}
