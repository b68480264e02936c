//! A server, a network, and verifiers of its tokens.

use std::net::IpAddr;
use std::time::Duration;

use claviger::domain::address::CallerAddress;
use claviger::verify::{Access, Builder, Refusal, Verifier};

use super::relay::Relay;
use super::{Backend, Options, Server, in_time, until};

pub struct World {
    pub server: Server,
    pub relay: Relay,
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        Self::with(backend, Options::default()).await
    }

    pub async fn with(backend: Backend, options: Options) -> Self {
        let relay = Relay::new().await;
        let options = Options { issuer: Some(relay.url()), ..options };
        let server = Server::start_with(backend, options).await;
        relay.lead_to(server.address());
        Self { server, relay }
    }

    /// The audience of a token that asks for none.
    pub fn audience(&self) -> String {
        format!("{}/api", self.relay.url())
    }

    /// What a verifier is told that accepts every organization and environment.
    pub fn builder(&self) -> Builder {
        let of = Verifier::builder(self.relay.url(), self.audience());
        of.any_organization().any_environment().clock(self.server.clock.clone())
    }

    /// Such a verifier, once it has heard of the issuer.
    pub async fn verifier(&self) -> Verifier {
        ready(self.builder()).await
    }

    /// A new key with these scopes, its id and a token of it.
    pub async fn key_and_token(&self, scopes: &[&str]) -> (String, String) {
        let (id, key) = self.server.key(scopes).await;
        (id, self.server.client().access_token(&key, "").await)
    }

    /// The node takes in what there is, and tells it to whoever follows.
    pub async fn tell(&self) {
        self.server.node.catch_up().await.expect("the store answers");
    }

    pub async fn revoke(&self, id: &str) {
        let path = format!("/v1/orgs/default/keys/{id}/revoke");
        let answer = self.server.admin().post_json(&path, &serde_json::json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.tell().await;
    }
}

/// Builds a verifier, and waits for it to hear of its issuer.
pub async fn ready(builder: Builder) -> Verifier {
    let verifier = builder.build().expect("a verifier");
    in_time("the verifier hears of its issuer", verifier.ready()).await;
    verifier
}

/// A caller on this machine.
pub fn here() -> CallerAddress {
    from("127.0.0.1")
}

pub fn from(address: &str) -> CallerAddress {
    CallerAddress::Known(address.parse::<IpAddr>().expect("an address"))
}

/// What the verifier says of a token from here.
pub async fn verdict(verifier: &Verifier, token: &str) -> Result<Access, Refusal> {
    verifier.verify(token, here()).await
}

/// Waits until a token is refused for this reason; says how long that took.
pub async fn until_refused(verifier: &Verifier, token: &str, refusal: Refusal) -> Duration {
    until(&format!("the token is refused: {refusal}"), async || {
        verdict(verifier, token).await.err() == Some(refusal)
    })
    .await
}

/// Waits until a verifier has heard what the node knows as of now. Held answers come with news alone, so there is some.
pub async fn heard_now(world: &World, verifier: &Verifier) {
    let (id, _) = world.server.key(&["read:*"]).await;
    world.revoke(&id).await;
    until("the verifier hears", async || verifier.metrics().seconds_since_heard == Some(0)).await;
}
