use std::io::ErrorKind;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};

use super::*;
use crate::base::every_variant::with_every_variant;
use crate::base::key_file::KeyFileError;
use crate::base::master_key::MasterKey;
use crate::client::{Answer, BaseUrl, BaseUrlError, CredentialError};
use crate::jose::jwk::JwksFault;
use crate::jose::revocation_feed::FeedFault;
use crate::server::config::Origin;

const REASONS: &str = include_str!("reason.rs");

fn server() -> BaseUrl {
    "https://auth.example.com/v1".parse().unwrap()
}

fn usage() -> Vec<UsageError> {
    use UsageError as U;

    let (name, file) = (|| "work".to_owned(), || "/root/.config/claviger/profiles.toml".into());
    with_every_variant(
        REASONS,
        [
            U::Arguments("error: unexpected argument '--nonsense' found".into()),
            U::NoChange,
            U::PageOfExport,
            U::NoTerminal,
            U::KeyAsToken,
            U::VariableNotText("CLAVIGER_URL"),
            U::Variable { name: "CLAVIGER_ORG", why: "the reason of the parser".into() },
            U::Url(BaseUrlError::NotAbsolute),
            U::Proxy("HTTPS_PROXY"),
            U::input("standard input", "stream did not contain valid UTF-8"),
            U::KeyFile(KeyFileError::Exposed { path: "keys/admin.key".into(), mode: 0o640 }),
            U::Credential { place: "CLAVIGER_API_KEY".into(), why: CredentialError },
            U::NoKey,
            U::NoServer,
            U::UrlOfApi { named_by: "--url".into(), url: server() },
            U::NoConfigFolder,
            U::NoSuchProfile { name: name(), file: file() },
            U::ProfileExists { name: name(), file: file() },
            U::TwoKeySources { name: name(), file: file() },
        ],
    )
}

fn failures() -> Vec<Failure> {
    use Failure as F;

    with_every_variant(
        REASONS,
        [
            F::NotConfirmed,
            F::OtherMasterKey("old-master.key".into()),
            F::Runtime(ErrorKind::OutOfMemory.into()),
            F::Log("a global default trace dispatcher has already been set".into()),
            F::File { path: "man".into(), why: ErrorKind::PermissionDenied.into() },
            F::KeyCommand("its output is not text".into()),
            F::NotUnderstood(serde_json::from_str::<u8>("{").unwrap_err()),
            F::KeySet(JwksFault::TooLong),
            F::Feed(FeedFault::Type),
            F::StoreInUse("claviger.db".into()),
            F::AdminKeyKept { why: OutputError::example(), path: "keys/admin.key".into() },
            F::AdminKeyLost {
                why: OutputError::example(),
                source: KeyFileError::Io {
                    path: "keys/admin.key".into(),
                    source: ErrorKind::PermissionDenied.into(),
                },
            },
            F::Other("the reason of the store".into()),
        ],
    )
}

fn requests() -> Vec<ClientError> {
    use ClientError as C;

    let refused = || ErrorKind::ConnectionRefused.into();
    with_every_variant(
        include_str!("../../client/error.rs"),
        [
            C::Exposed("http://auth.example.com".parse().unwrap()),
            C::Connect { server: server(), source: refused() },
            C::Proxy { proxy: "http://proxy.example:1080".parse().unwrap(), why: "502 Bad Gateway".into() },
            C::Tls { server: server(), source: std::io::Error::other("UnknownIssuer") },
            C::Slow { server: server(), limit: Duration::from_secs(30) },
            C::Broken { server: server(), source: "unexpected end of file".into() },
            C::TooLarge { server: server(), most: 1_048_576 },
        ],
    )
}

/// An answer of the management API.
fn of_api(status: u16, code: &str, message: &str) -> Refused {
    let body =
        json!({ "error": { "code": code, "message": message, "request_id": "d2b7ae7a0000000000000012" } });
    refused(status, &body.to_string(), HeaderMap::new())
}

/// An answer of the OAuth endpoints.
fn of_oauth(status: u16, code: &str, description: &str) -> Refused {
    let body = json!({ "error": code, "error_description": description });
    refused(status, &body.to_string(), HeaderMap::new())
}

fn refused(status: u16, body: &str, headers: HeaderMap) -> Refused {
    let status = StatusCode::from_u16(status).unwrap();
    Refused::from(Answer { status, headers, body: body.to_owned().into() })
}

fn refusals() -> Vec<Refused> {
    let header = |name, value| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
    let slow_down = r#"{"error":"temporarily_unavailable","error_description":"too many wrong secrets"}"#;
    vec![
        of_api(400, "invalid_request", "name is missing"),
        of_api(401, "unauthenticated", "the API key or access token is not valid"),
        of_api(401, "key_revoked", "the API key is revoked"),
        of_api(401, "key_expired", "the API key has expired"),
        of_api(401, "key_disabled", "the API key is disabled"),
        of_api(401, "dpop_required", "this API key requires DPoP"),
        of_api(401, "token_expired", "the token has expired"),
        of_api(401, "token_revoked", "the token is revoked"),
        of_api(403, "forbidden", "this requires the scope read:claviger/orgs"),
        of_api(403, "address_not_allowed", "the key is not allowed from address 192.0.2.7"),
        of_api(404, "not_found", "no such resource exists"),
        of_api(409, "conflict", "it has unrevoked keys"),
        of_api(409, "conflict", "this would lock out all administrators; ?force=true overrides this check"),
        of_api(409, "conflict", "the document omits 6 of 10 keys; ?prune_all=true confirms that"),
        of_api(412, "precondition_failed", "the resource has changed since you read it"),
        of_api(413, "too_large", "the body is too large"),
        of_api(500, "internal", "an internal error occurred"),
        of_api(503, "unavailable", "the server cannot process this request at the moment"),
        of_oauth(400, "invalid_scope", "no scope of the key for this audience covers write:*"),
        of_oauth(400, "invalid_target", "https://other.example is not an audience of this key's project"),
        of_oauth(400, "unauthorized_client", "the token belongs to another client"),
        of_oauth(401, "invalid_client", "client authentication failed"),
        refused(429, slow_down, header(RETRY_AFTER, "42")),
        refused(502, "<h1>Bad Gateway</h1>", HeaderMap::new()),
        refused(308, "", header(LOCATION, "https://auth.example.com/")),
    ]
}

/// Every error.
fn all() -> Vec<CliError> {
    let mut all: Vec<CliError> = vec![
        ConfigError::Setting {
            setting: "CLAVIGER_LISTEN",
            origin: Origin::Flag,
            why: "is not an address".into(),
        }
        .into(),
        BootstrapError::MasterKey(MasterKeyFault::Malformed(
            "keys/master.key".into(),
            "short".parse::<MasterKey>().unwrap_err(),
        ))
        .into(),
        BootstrapError::Off.into(),
        TrustError::NoneInSystem(None).into(),
        CliError::ShownBefore,
        OutputError::example().into(),
        CliError::SecretLost {
            lost_keys: vec!["key_4f2aB9cD3eF5gH7i".into()],
            source: OutputError::example(),
            advice: "Rotate the key.".into(),
        },
        CliError::SecretLost {
            lost_keys: vec!["key_4f2aB9cD3eF5gH7i".into(), "key_0123456789abcdef".into()],
            source: OutputError::example(),
            advice: "Rotate the keys.".into(),
        },
        CliError::Invalid,
        CliError::Findings(Exit::Usage),
        CliError::Health(requests().remove(1)),
        CliError::from(of_oauth(401, "invalid_client", "client authentication failed"))
            .asking("The URL is from --url, the key from CLAVIGER_API_KEY."),
    ];
    all.extend(usage().into_iter().map(CliError::from));
    all.extend(failures().into_iter().map(CliError::from));
    all.extend(requests().into_iter().map(CliError::from));
    all.extend(refusals().into_iter().map(CliError::from));
    with_every_variant(include_str!("../failure.rs"), all)
}

#[test]
fn every_error_has_its_exit_code_text_and_advice() {
    let lines = all().into_iter().map(|error| {
        let advice = error.advice().map(|advice| format!("\n    {}", advice.replace('\n', "\n  ")));
        format!("{} {error}{}", error.exit() as u8, advice.unwrap_or_default())
    });
    insta::assert_snapshot!("cli_errors", lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_sources_are_named_where_a_wrong_server_or_key_could_be_the_cause() {
    let is_named =
        |error: CliError| matches!(error.asking("The URL is from --url."), CliError::Asking { .. });
    for error in requests() {
        assert!(is_named(error.into()));
    }
    assert!(is_named(of_api(401, "key_revoked", "the API key is revoked").into()));
    assert!(is_named(of_api(403, "forbidden", "this requires a scope").into()));
    assert!(is_named(refused(200, "<h1>Welcome</h1>", HeaderMap::new()).into()));
    assert!(!is_named(of_api(404, "not_found", "no such resource exists").into()));
    assert!(!is_named(of_api(400, "invalid_request", "name is missing").into()));
    assert!(!is_named(UsageError::NoChange.into()));
}
