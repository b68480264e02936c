//! The server on this machine, the issuer as others reach it, and proxies.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::Value;

use super::files::judge_certificate;
use super::finding::{Report, Severity};
use crate::base::certificate::CertificateFacts;
use crate::base::clock::Timestamp;
use crate::base::variables::variable;
use crate::cli::health::reachable;
use crate::client::{
    BaseUrl, Client, ClientError, Request, RequestLimits, Trust, presented_certificate, probe,
};
use crate::domain::address::CallerAddress;
use crate::server::config::Config;
use crate::store::Contents;

const WITHIN: Duration = Duration::from_secs(4);
const LIMITS: RequestLimits = RequestLimits { connect: WITHIN, answer: WITHIN, body: 1 << 20 };

/// The address of an example (RFC 5737).
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// Asks the server on this machine whether it is ready. Whether there is one.
pub(super) async fn check_server(config: &Config, report: &mut Report) -> bool {
    let address = match reachable(config.listen) {
        Ok(address) => address,
        Err(error) => {
            report.warn("server", error.to_string(), "Set listen to the port of the server.");
            return false;
        }
    };
    match probe(address, config.tls.is_some(), Request::get(&["readyz"]), LIMITS).await {
        Ok(answer) if answer.status.is_success() => {
            report.ok("server", format!("the server on {address} is ready"))
        }
        Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => report.fail(
            "server",
            format!("the server on {address} is not ready: {}", message_in(&answer.body)),
            "Read its log. It still serves the keys in its memory for thirty seconds.",
        ),
        Ok(answer) => report.fail(
            "server",
            format!("what listens on {address} answers with {}, and is no claviger", answer.status),
            "Check listen, and what else uses the port.",
        ),
        Err(error) => {
            let message = format!("no server responds on {address}: {error}");
            report.warn("server", message, "Start it, or check that listen is the running server's.");
            return false;
        }
    }
    true
}

fn message_in(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["error"]["message"].as_str().unwrap_or("it does not say why").to_owned()
}

/// Reaches the issuer as clients do, and finds out whose it is.
pub(super) async fn check_issuer(
    config: &Config,
    contents: Option<&Contents>,
    is_served: bool,
    now: Timestamp,
    report: &mut Report,
) {
    let issuer = config.deployment(config.listen).issuer;
    let Ok(url) = issuer.parse::<BaseUrl>() else { return };
    if url.is_https()
        && let Ok(presented) = presented_certificate(&url, WITHIN).await
    {
        let facts = presented.as_deref().and_then(CertificateFacts::of);
        judge_certificate("issuer", &format!("the certificate at {issuer}"), facts.as_ref(), now, report);
    }
    let metadata = match ask(&url, &metadata_url(&url)).await {
        Ok(metadata) => metadata,
        // Without a server, nothing can be expected to answer.
        Err(error) => {
            let severity = if is_served { Severity::Error } else { Severity::Warning };
            let message = format!("{issuer} cannot be reached from here: {error}");
            let advice = "Check the name, the proxy and its certificate. A private authority's is passed with CLAVIGER_CA_FILE.";
            return report.add("issuer", severity, message, advice);
        }
    };
    match metadata["issuer"].as_str() {
        Some(named) if named == issuer => {}
        Some(named) => {
            let message = format!("the metadata at {issuer} is that of another issuer, {named}");
            return report.fail("issuer", message, "Set issuer to the public URL of this server.");
        }
        None => {
            let message = format!("what answers at {issuer} is no claviger: it has no metadata (RFC 8414)");
            let advice = "Check what the name leads to, and that the proxy forwards /.well-known/oauth-authorization-server.";
            return report.fail("issuer", message, advice);
        }
    }
    let Some(contents) = contents else {
        return report.ok("issuer", format!("{issuer} serves its metadata"));
    };
    let keys = match metadata["jwks_uri"].as_str().and_then(|keys| keys.parse().ok()) {
        Some(keys) => ask(&url, &keys).await.unwrap_or_default(),
        None => Value::Null,
    };
    let published: Vec<&str> =
        keys["keys"].as_array().into_iter().flatten().filter_map(|key| key["kid"].as_str()).collect();
    let is_known = |kid: &&str| contents.signing_keys.iter().any(|key| key.kid == *kid);
    match !published.is_empty() && published.iter().all(is_known) {
        true => report.ok("issuer", format!("{issuer} leads to a server of this deployment")),
        false => report.fail(
            "issuer",
            format!(
                "{issuer} leads to another deployment: it publishes signing keys that are not in this store"
            ),
            "Check what the name leads to, and database_url.",
        ),
    }
}

/// RFC 8414 §3.1: the well-known path goes between the host and the issuer's path.
fn metadata_url(issuer: &BaseUrl) -> BaseUrl {
    let path = format!("/.well-known/oauth-authorization-server{}", issuer.path());
    issuer.clone().origin().with_path(&path)
}

/// The JSON at a URL of the issuer. Null, if it is none.
async fn ask(issuer: &BaseUrl, url: &BaseUrl) -> Result<Value, String> {
    let trust = variable("CLAVIGER_CA_FILE").map_or(Trust::System, |file| Trust::File(PathBuf::from(file)));
    let client = Client::new(issuer.clone().origin(), &trust, LIMITS).map_err(|error| error.to_string())?;
    let answer = client.send(Request::get_url(url)).await.map_err(|error: ClientError| error.to_string())?;
    Ok(serde_json::from_slice(&answer.body).ok().filter(|_| answer.status.is_success()).unwrap_or_default())
}

/// Says what the server concludes from a forwarding header.
pub(super) fn check_proxies(config: &Config, report: &mut Report) {
    let deployment = config.deployment(config.listen);
    let policy = &deployment.addresses;
    let header = policy.header.name();
    if policy.proxies.is_empty() {
        let is_public = deployment.issuer.starts_with("https://");
        let message = format!(
            "no proxy is trusted: {header} is ignored, and every caller has the address of its connection"
        );
        if is_public && config.tls.is_none() {
            let advice = "The issuer has https and TLS does not end here, so there is a proxy, and all callers have its address. \
                          Set trusted_proxies to the address from which it connects.";
            return report.warn("proxies", message, advice);
        }
        return report.ok("proxies", message);
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let peers = [
        ("127.0.0.1", loopback),
        ("a proxy that is not in trusted_proxies", IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1))),
    ];
    for (name, peer) in peers {
        let line = policy.header.value_for(CallerAddress::Known(CLIENT));
        let seen = policy.caller(peer, [line.as_bytes()]);
        let seen = seen.known().map_or_else(|| "unknown".into(), |address| address.to_string());
        report.ok("proxies", format!("from {name}, with {header}: {line}, the caller is {seen}"));
    }
    if config.tls.is_none()
        && config.listen.ip().is_loopback()
        && policy.caller(loopback, [&b"203.0.113.7"[..]]).known() == Some(loopback)
    {
        let advice =
            "Only a proxy on this machine can connect to this listener. Add 127.0.0.1 to trusted_proxies.";
        report.warn("proxies", "the listener is on loopback, and 127.0.0.1 is not a trusted proxy", advice);
    }
}
