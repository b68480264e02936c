//! The issuer's metadata (RFC 8414).

use http::StatusCode;

use crate::client::{Answer, BaseUrl, Client, ClientError, Request};
use crate::jose::json::{JsonFault, Object, Value};
use crate::jose::jwk::{Jwks, JwksFault};

/// Why the issuer's keys can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the issuer answered the request for {what} with {status}")]
    Status { what: &'static str, status: StatusCode },
    #[error("the metadata is refused: {0}")]
    Json(#[from] JsonFault),
    #[error("`{0}` is missing from the metadata, or is not a URL on the issuer's own host")]
    Member(&'static str),
    /// RFC 8414 §3.3 requires the same issuer.
    #[error("the metadata names another issuer")]
    OtherIssuer,
    #[error("the key set is refused: {0}")]
    Jwks(#[from] JwksFault),
    #[error("the key set has no usable key")]
    NoKeys,
}

/// The endpoints that a verifier needs.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub(super) jwks: BaseUrl,
    pub(super) revocations: BaseUrl,
}

/// Fetches the metadata of `issuer`, whose URL is `server`.
pub(super) async fn fetch_metadata(
    client: &Client,
    issuer: &str,
    server: &BaseUrl,
) -> Result<Metadata, FetchFault> {
    let answer = client.send(Request::get_url(&well_known(server))).await?;
    read(&expect_ok(answer, "the metadata")?.body, issuer, server)
}

/// Fetches the issuer's keys.
pub(super) async fn fetch_keys(client: &Client, metadata: &Metadata) -> Result<Jwks, FetchFault> {
    let answer = expect_ok(client.send(Request::get_url(&metadata.jwks)).await?, "the key set")?;
    let parsed = Jwks::parse(&answer.body)?;
    for refused in &parsed.refused {
        tracing::warn!(index = refused.index, "a key of the issuer is refused: {}", refused.fault);
    }
    if parsed.usable.keys.is_empty() { Err(FetchFault::NoKeys) } else { Ok(parsed.usable) }
}

/// The well-known part stands between host and path (RFC 8414 §3.1).
fn well_known(server: &BaseUrl) -> BaseUrl {
    server.clone().with_path(&format!("/.well-known/oauth-authorization-server{}", server.path()))
}

/// A redirect is not accepted, because another host would then speak for the issuer.
fn expect_ok(answer: Answer, what: &'static str) -> Result<Answer, FetchFault> {
    match answer.status {
        StatusCode::OK => Ok(answer),
        status => Err(FetchFault::Status { what, status }),
    }
}

fn read(json: &[u8], issuer: &str, server: &BaseUrl) -> Result<Metadata, FetchFault> {
    let metadata = Object::parse(json)?;
    match metadata.get("issuer") {
        Some(Value::String(named)) if *named == issuer => {}
        _ => return Err(FetchFault::OtherIssuer),
    }
    let url = |name| match metadata.get(name) {
        Some(Value::String(text)) => own_url(text, server).ok_or(FetchFault::Member(name)),
        _ => Err(FetchFault::Member(name)),
    };
    Ok(Metadata { jwks: url("jwks_uri")?, revocations: url("revocation_feed_endpoint")? })
}

/// Keys are accepted only from the issuer's own host.
fn own_url(text: &str, server: &BaseUrl) -> Option<BaseUrl> {
    let url: BaseUrl = text.parse().ok()?;
    (url.clone().origin() == server.clone().origin()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"issuer":"https://h/a","jwks_uri":"https://h/a/jwks","revocation_feed_endpoint":"https://h/r"}"#;

    fn reading(json: &str) -> Result<String, String> {
        let server = "https://h/a".parse().unwrap();
        let metadata = read(json.as_bytes(), "https://h/a", &server).map_err(|fault| fault.to_string())?;
        Ok(format!("{} {}", metadata.jwks, metadata.revocations))
    }

    #[test]
    fn metadata_of_another_issuer_or_with_urls_elsewhere_is_refused() {
        assert_eq!(reading(GOOD).unwrap(), "https://h/a/jwks https://h/r");
        for (from, to, fault) in [
            ("\"issuer\":\"https://h/a\"", "\"issuer\":\"https://h/a/\"", "another issuer"),
            ("https://h/a/jwks", "https://evil/jwks", "`jwks_uri`"),
            ("https://h/a/jwks", "http://h/a/jwks", "`jwks_uri`"),
            ("https://h/a/jwks", "https://h:444/a/jwks", "`jwks_uri`"),
            ("https://h/r", "/r", "`revocation_feed_endpoint`"),
            ("\"issuer\"", "\"jwks_uri\":\"https://h/x\",\"issuer\"", "occurs twice"),
        ] {
            let refused = reading(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(refused.contains(fault), "{to}: {refused}");
        }
    }

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        for (issuer, url) in [
            ("https://h", "https://h/.well-known/oauth-authorization-server"),
            ("https://h/a/b", "https://h/.well-known/oauth-authorization-server/a/b"),
        ] {
            assert_eq!(well_known(&issuer.parse().unwrap()).to_string(), url);
        }
    }
}
