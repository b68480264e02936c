//! A resource server: an API that accepts Claviger's access tokens, as well as API keys that clients send directly, and
//! enforces their scopes.
//!
//! ```sh
//! cargo run --example resource_server
//! curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9090/orders/7
//! ```
//!
//! | variable | meaning |
//! |---|---|
//! | `CLAVIGER_ISSUER` | issuer of accepted tokens [http://127.0.0.1:8080] |
//! | `CLAVIGER_AUDIENCE` | this API's name in `aud` [`{issuer}/api`] |
//! | `PUBLIC_URL` | URL under which clients reach this API; with it, tokens that are bound to a key are accepted [none] |
//! | `BOUND_TOKENS_ONLY` | `true` accepts nothing but such tokens; otherwise, API keys are accepted too [false] |
//! | `PROOF_ALGORITHMS` | signature algorithms of proofs, separated by commas [all that the library has] |
//! | `LISTEN` | address of the listener [127.0.0.1:9090] |
//! | `TRUSTED_PROXIES` | ranges of proxies whose `X-Forwarded-For` is trusted, separated by commas [none] |

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own, with no clock to inject"
)]

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::routing::get;
use claviger::domain::address::AddressPolicy;
use claviger::domain::scope::Verb;
use claviger::jose::claims::Leeway;
use claviger::verify::{Access, ApiKeys, Denied, Verifier};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = variable("CLAVIGER_ISSUER", "http://127.0.0.1:8080");
    let audience = variable("CLAVIGER_AUDIENCE", &format!("{issuer}/api"));
    let proxies = variable("TRUSTED_PROXIES", "").parse()?;

    let mut builder = Verifier::builder(issuer, audience)
        .any_organization() // Handlers separate organizations by `access.organization()`.
        .environments(["prd"])
        .leeway(Leeway::from_seconds(5).ok_or("no leeway")?)
        .addresses(AddressPolicy { proxies, ..AddressPolicy::default() });
    builder = match variable("BOUND_TOKENS_ONLY", "false").parse()? {
        true => builder.bound_tokens_only(),
        false => builder.api_keys(ApiKeys::default()),
    };
    if let Ok(url) = std::env::var("PUBLIC_URL") {
        builder = builder.public_url(url);
    }
    if let Ok(names) = std::env::var("PROOF_ALGORITHMS") {
        builder = builder.proof_algorithms(names.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?);
    }
    let verifier = builder.build()?;

    let guard = verifier.layer().open(["/metrics", "/ready"]).peer(|request| {
        request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
    });
    let routes = Router::new()
        .route("/orders/{id}", get(read_order).post(write_order))
        // These need no credential, for monitoring.
        .route("/metrics", get(metrics))
        .route("/ready", get(ready))
        .with_state(verifier);

    let listener = TcpListener::bind(variable("LISTEN", "127.0.0.1:9090")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // The layer comes last and covers all routes, so that none is unguarded by mistake. The guard also serves the
    // metadata of RFC 9728.
    let service = routes.layer(guard).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}

async fn read_order(Path(id): Path<String>, access: Access) -> Result<String, Denied> {
    access.require(Verb::Read, &format!("orders/{id}"))?;
    Ok(format!("order {id} of {}\n", access.organization()))
}

async fn write_order(Path(id): Path<String>, access: Access) -> Result<String, Denied> {
    access.require(Verb::Write, &format!("orders/{id}"))?;
    Ok(format!("order {id} of {} is written by {}\n", access.organization(), access.subject()))
}

/// The metrics in Prometheus' format.
async fn metrics(State(verifier): State<Verifier>) -> String {
    let metrics = verifier.metrics();
    format!(
        "credentials_accepted_total {}\ncredentials_refused_total {}\nrevocations_heard_seconds_ago {}\n\
         revocations_stale {}\n",
        metrics.accepted,
        metrics.refused,
        metrics.seconds_since_heard.map_or("NaN".to_owned(), |seconds| seconds.to_string()),
        u8::from(metrics.is_stale),
    )
}

/// Waits until the verifier has heard from the issuer, so that both can start at the same time.
async fn ready(State(verifier): State<Verifier>) -> &'static str {
    verifier.ready().await;
    "ready\n"
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}
