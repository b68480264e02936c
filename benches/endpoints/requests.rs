//! Requests with keys and with tokens, one kind per endpoint.

use std::net::Ipv4Addr;
use std::sync::Arc;

use claviger::domain::address::{CallerAddress, Origin};
use claviger::jose::jwk::Jwks;
use claviger::node::{Node, Presented, PresentedClient};
use claviger::use_cases::token::{GrantRequest, client_credentials};

use crate::node::ISSUER;
use crate::seed::Store;
use crate::turns::Signed;
use crate::{FIRST_SIGHT_TOKENS, KEYS};

/// An endpoint that checks credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Endpoint {
    Gate,
    Introspection,
    ManagementApi,
}

/// The requests for one endpoint.
pub(crate) struct Minted {
    /// With API keys.
    pub(crate) keys: Vec<Vec<u8>>,
    /// With tokens that are presented repeatedly.
    pub(crate) seen: Vec<Vec<u8>>,
    /// With tokens that are presented once, one list per turn.
    pub(crate) unseen_requests: Vec<Vec<Vec<u8>>>,
    /// The tokens of one turn.
    pub(crate) unseen: Vec<String>,
}

const CALLER: Origin<'static> = Origin {
    address: CallerAddress::Known(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)),
    request_id: "000000000000000000000001",
};

impl Endpoint {
    pub(crate) const ALL: [Self; 3] = [Self::Gate, Self::Introspection, Self::ManagementApi];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate: GET /v1/gate?action=read&resource=orders/7",
            Self::Introspection => "introspection: POST /oauth/introspect, its caller by an API key",
            Self::ManagementApi => "management API: GET /v1/self",
        }
    }

    /// The keys to present here. The seeded keys have no access to the management API.
    fn keys(self, store: &Store) -> Vec<String> {
        match self {
            Self::Gate | Self::Introspection => (0..KEYS).map(|number| store.key(number).1).collect(),
            Self::ManagementApi => vec![store.admin.clone()],
        }
    }

    fn request(self, store: &Store, credential: &str) -> Vec<u8> {
        let shown = |path: &str| {
            format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {credential}\r\n\r\n")
        };
        let text = match self {
            Self::Gate => shown("/v1/gate?action=read&resource=orders/7"),
            Self::ManagementApi => shown("/v1/self"),
            Self::Introspection => {
                let body = format!("client_secret={}&token={credential}", store.admin);
                format!(
                    "POST /oauth/introspect HTTP/1.1\r\nhost: 127.0.0.1\r\n\
                     content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        };
        text.into_bytes()
    }
}

impl Minted {
    pub(crate) async fn for_endpoint(
        node: &Arc<Node>,
        store: &Store,
        endpoint: Endpoint,
        turns: usize,
    ) -> Self {
        let keys = endpoint.keys(store);
        let request = |credential: &String| endpoint.request(store, credential);
        let tokens = tokens(node, &keys, KEYS as usize).await;
        let mut unseen_requests = Vec::new();
        let mut unseen = Vec::new();
        for _ in 0..turns {
            unseen = self::tokens(node, &keys, FIRST_SIGHT_TOKENS).await;
            unseen_requests.push(unseen.iter().map(request).collect());
        }
        unseen.truncate(1_000);
        Self {
            keys: keys.iter().map(request).collect(),
            seen: tokens.iter().map(request).collect(),
            unseen_requests,
            unseen,
        }
    }
}

async fn tokens(node: &Arc<Node>, keys: &[String], count: usize) -> Vec<String> {
    let mut tokens = Vec::with_capacity(count);
    for (number, key) in keys.iter().cycle().take(count).enumerate() {
        if number % 1_000 == 0 {
            // Nothing else keeps this node up to date, and it issues no tokens once it has not heard from its store for 30 s.
            node.catch_up().await.expect("the store");
        }
        let presented = PresentedClient::Secret(Presented { client_id: None, key });
        let (request, now) = (GrantRequest::default(), node.clock.now());
        let issued =
            client_credentials(&node.authenticator, &node.signer, presented, CALLER, &request, now).await;
        tokens.push(issued.expect("a token").access_token);
    }
    tokens
}

/// Microseconds that ring needs to verify one signature, and nothing else.
pub(crate) fn bare_verification(node: &Node, tokens: &[String]) -> f64 {
    let ring = node.signer.keyring.ring();
    let keys: Vec<_> = ring.published(node.clock.now()).cloned().collect();
    assert!(node.deployment.issuer == ISSUER && keys.len() == 1, "one key has signed them all");
    let signed = Signed::all(tokens, &Jwks { keys });
    let rounds = (0..5).map(|_| {
        let begun = std::time::Instant::now();
        signed.iter().for_each(Signed::verify);
        begun.elapsed().as_secs_f64() * 1e6 / signed.len() as f64
    });
    crate::contender::median(rounds.collect())
}
