//! Where tokens are looked at, and what is said there of a good one and of a forged one.

use claviger::jose::claims::TokenFault;
use claviger::node::keyring::SigningKeySource;
use claviger::verify::{Refusal, Verifier};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::forge::{For, Forgery, Good};
use crate::support::{Answer, Backend, Options};
use crate::world::{World, verdict};

pub(crate) const INACTIVE: &str = r#"{"active":false}"#;

/// A server with a key of each kind, and a verifier of its tokens.
pub(crate) struct TokenReaders {
    pub(crate) world: World,
    pub(crate) verifier: Verifier,
    /// An API key for a resource server.
    pub(crate) key: String,
    /// An API key for the management API.
    own_key: String,
}

impl TokenReaders {
    pub(crate) async fn new(backend: Backend) -> Self {
        Self::with(backend, Options::default()).await
    }

    /// The same with a signing key from there.
    pub(crate) async fn signing_with(backend: Backend, source: SigningKeySource) -> Self {
        Self::with(backend, Options { source, ..Options::default() }).await
    }

    async fn with(backend: Backend, options: Options) -> Self {
        let world = World::with(backend, options).await;
        let verifier = world.verifier().await;
        let (_, key) = world.server.key(&["read:orders/*"]).await;
        let (_, own_key) = world.server.key(&["read:claviger/orgs/default/projects/*"]).await;
        Self { world, verifier, key, own_key }
    }

    /// A good token for a resource server, and one for the issuer.
    pub(crate) async fn good(&self) -> [Good; 2] {
        [self.good_for(For::Resources).await, self.good_for(For::Management).await]
    }

    pub(crate) async fn good_for(&self, whom: For) -> Good {
        let server = &self.world.server;
        let key = match whom {
            For::Resources => &self.key,
            For::Management => &self.own_key,
        };
        Good::new(server.client().access_token(key, "").await, whom, server)
    }

    /// Makes forgeries of both kinds of tokens, and asserts that every reader refuses them all, and accepts the
    /// token that they were made from, before and after, and for one that was only signed again.
    pub(crate) async fn refuse_all(&self, forgeries: impl Fn(&Good) -> Vec<Forgery>) {
        for good in self.good().await {
            let again = good.sign(&good.header.to_string(), &good.payload.to_string());
            self.accept(&good, &good.token).await;
            self.accept(&good, &again).await;
            let forgeries = forgeries(&good);
            assert!(!forgeries.is_empty());
            for forgery in &forgeries {
                self.refuse(&good, forgery).await;
            }
            self.accept(&good, &good.token).await;
        }
    }

    /// Asserts that a token is good wherever one like `good` is.
    pub(crate) async fn accept(&self, good: &Good, token: &str) {
        if good.whom == For::Resources {
            verdict(&self.verifier, token).await.unwrap();
        }
        assert_eq!(self.introspected(token).await.done(200)["active"], true, "{token}");
        self.shown(good.whom, token).await.done(200);
    }

    /// Asserts that every reader refuses it, and gives the right reason.
    pub(crate) async fn refuse(&self, good: &Good, forgery: &Forgery) {
        let Forgery { name, token, fault, .. } = forgery;
        if good.whom == For::Resources {
            let refusal = verdict(&self.verifier, token).await.err();
            assert_eq!(refusal, Some(Refusal::Token(*fault)), "{name}: {token}");
        }
        let introspected = self.introspected(token).await;
        if forgery.is_for_others {
            assert_eq!(introspected.json()["active"], true, "{name}: {token}");
        } else if token.contains('\0') {
            // No form may have one.
            assert_eq!((introspected.status, introspected.oauth_error().as_str()), (400, "invalid_request"));
        } else {
            let said = (introspected.status, introspected.text.as_str());
            assert_eq!(said, (200, INACTIVE), "{name}: {token}");
        }
        if fits_a_header(token) {
            let shown = self.shown(good.whom, token).await;
            let code = if *fault == TokenFault::Expired { "token_expired" } else { "unauthenticated" };
            assert_eq!((shown.status, shown.code().as_str()), (401, code), "{name}: {token}");
            let challenge = shown.header("www-authenticate");
            assert!(challenge.contains(r#", error="invalid_token""#), "{name}: {challenge}");
        }
    }

    /// What introspection says of it to the administrator.
    pub(crate) async fn introspected(&self, token: &str) -> Answer {
        let form = format!("token={}", utf8_percent_encode(token, NON_ALPHANUMERIC));
        self.world.server.admin().post_form("/oauth/introspect", &form).await
    }

    /// What is said to whoever shows it where it is for: at the gate, or at the management API.
    pub(crate) async fn shown(&self, whom: For, token: &str) -> Answer {
        self.world.server.client().bearer(token).get(whom.path()).await
    }
}

/// Whether it can be sent as it is: HTTP has no control characters in headers, and takes spaces away around a value.
fn fits_a_header(token: &str) -> bool {
    token == token.trim_matches(' ') && !token.contains(|character: char| character.is_ascii_control())
}
