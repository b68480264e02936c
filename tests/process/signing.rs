//! Tokens verify against what is published, whatever they are signed with.

use std::path::Path;
use std::process::Command;

use claviger::base::clock::Clock;
use claviger::jose::claims::{Audience, Claims, Leeway, Presentation, Rules, verify_access_token};
use claviger::jose::jwk::{PublicJwk, VerifyingKey};

use crate::support::{Backend, Claviger, Process, is_here};

/// Algorithm, what it takes to have it, and how OpenSSL makes its key, if it is the operator's.
const KINDS: [(&str, &[&str]); 3] =
    [("ES256", &[]), ("EdDSA", &[]), ("RS256", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])];

#[tokio::test]
async fn tokens_of_each_algorithm_verify_against_the_published_keys() {
    for (algorithm, generate) in KINDS {
        let database = Backend::Sqlite.fresh().await;
        let mut claviger = Claviger::over(&database).set("CLAVIGER_SIGNING_ALGORITHM", algorithm);
        if !generate.is_empty() {
            if !is_here("openssl") {
                continue;
            }
            let file = openssl_key(generate, database.folder.path());
            claviger = claviger.set("CLAVIGER_SIGNING_KEY_FILE", &file);
        }
        let server = claviger.serve();
        let token = server.client().access_token(&server.admin_key(), "").await;
        let header = jsonwebtoken::decode_header(&token).expect("a header");
        assert_eq!(format!("{:?}", header.alg), algorithm);
        assert_eq!(verified(&server, &token).await.audience, [&*server.issuer]);
        let token = server.client().access_token(&server.admin().create_key(&["read:*"]).await.1, "").await;
        assert_eq!(verified(&server, &token).await.audience, [&*format!("{}/api", server.issuer)]);
    }
}

/// The claims of a token, verified as a resource server would.
pub(crate) async fn verified(server: &Process, token: &str) -> Claims {
    let jwks = server.client().get("/.well-known/jwks.json").await.json();
    let keys = jwks["keys"].as_array().expect("keys").iter();
    let keys: Vec<_> = keys
        .map(|key| VerifyingKey::from(PublicJwk::parse(key.to_string().as_bytes()).expect("a public key")))
        .collect();
    let audience = [&*server.issuer, &*format!("{}/api", server.issuer)];
    let rules = Rules {
        issuer: &server.issuer,
        audience: Audience::OneOf(&audience),
        presentation: Presentation::Bearer,
        now: Clock::system().now(),
        leeway: Leeway::MAX,
    };
    verify_access_token(token, |kid| keys.iter().find(|key| key.kid() == kid).cloned(), &rules)
        .expect("a good token")
}

/// A new private key in a file of the operator's.
fn openssl_key(generate: &[&str], folder: &Path) -> String {
    let file = folder.join("signing.pem");
    let made = Command::new("openssl")
        .arg("genpkey")
        .args(generate)
        .arg("-out")
        .arg(&file)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    file.display().to_string()
}
