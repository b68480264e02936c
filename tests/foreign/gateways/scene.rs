//! A server, a gateway that asks it, an upstream behind that, and what always has to hold there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger::base::clock::Clock;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::client::{Answer, Request};
use super::gateway::{Gateway, Running};
use super::upstream::{Arrived, SIGN, Upstream};
use crate::support::{Holder, Proof, in_time};
use crate::world::World;

/// Where a client is who is somewhere else.
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 8, 1));

/// Under which clients know what is behind the gateway.
pub(super) const ORIGIN: &str = "https://orders.example";

/// What gateways say to upstreams of themselves.
const OF_THE_WAY: [&str; 4] =
    ["x-request-id", "x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-real-ip"];

pub(super) struct Scene {
    gateway: Running,
    upstream: Upstream,
    world: World,
    runtime: Runtime,
}

pub(super) struct Key {
    pub(super) id: String,
    pub(super) text: String,
}

/// What upstream saw of a request that was let through.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: String,
    /// Whom upstream takes it for.
    pub(super) sub: String,
    /// Under which scheme it has the token.
    pub(super) scheme: String,
    pub(super) token: String,
}

impl Scene {
    /// The scene with this gateway, if it is there.
    pub(super) fn set(gateway: Gateway) -> Option<Self> {
        Self::set_with(gateway, &[])
    }

    /// The same, of a server with these settings besides.
    pub(super) fn set_with(gateway: Gateway, settings: &[(&str, &str)]) -> Option<Self> {
        let program = gateway.program()?;
        let runtime = Runtime::new().expect("a runtime");
        // Clients come from other addresses, so that theirs is not the gateway's.
        let world = World::set(&[&[("CLAVIGER_TRUSTED_PROXIES", "127.0.0.1")], settings].concat());
        let upstream = Upstream::start(&runtime);
        let gateway = gateway.start(&runtime, &program, world.port(), upstream.address.port());
        Some(Self { gateway, upstream, world, runtime })
    }

    pub(super) fn issuer(&self) -> &str {
        self.world.issuer()
    }

    /// Where the gateway listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.gateway.address
    }

    pub(super) fn key(&self, members: Value) -> Key {
        let made = self.world.key(&members);
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        Key { id: text("id"), text: text("key") }
    }

    /// A token of the key, bound to the holder's key if there is one.
    pub(super) fn token(&self, key: &Key, holder: Option<&Holder>) -> String {
        self.world.token(&key.text, holder)
    }

    /// A proof for a request to what is behind the gateway.
    pub(super) fn proof(&self, holder: &Holder, method: &str, path: &str) -> Proof {
        holder.proof(method, &format!("{ORIGIN}{path}"), Clock::system().now())
    }

    pub(super) fn revoke(&self, key: &Key) {
        self.world.order(&format!("/v1/orgs/default/keys/{}/revoke", key.id), &json!({}));
    }

    /// Gives the key another secret, and ends the one that it had.
    pub(super) fn rotate(&self, key: &Key) {
        let path = format!("/v1/orgs/default/keys/{}/rotate", key.id);
        self.world.make(&path, &json!({ "overlap_seconds": 0 }));
    }

    pub(super) fn kill_the_gate(&self) {
        self.world.kill();
    }

    /// What upstream sees of a request that passes.
    #[track_caller]
    pub(super) fn passes(&self, request: &Request) -> Seen {
        let (answer, seen) = self.send(request);
        seen.unwrap_or_else(|| {
            panic!("{request:?}\n{answer:?}\n{}\n{}", self.gateway.log(), self.world.log())
        })
    }

    /// The answer to a request that does not pass, with this status.
    #[track_caller]
    pub(super) fn refused(&self, request: &Request, status: u16) -> Answer {
        let answer = self.refused_somehow(request);
        assert_eq!(answer.status, status, "{request:?}\n{answer:?}\n{}", self.gateway.log());
        answer
    }

    /// The answer to a request that does not pass.
    #[track_caller]
    pub(super) fn refused_somehow(&self, request: &Request) -> Answer {
        let (answer, seen) = self.send(request);
        assert!(seen.is_none(), "upstream saw {request:?} as {seen:?}");
        answer
    }

    /// What upstream sees of a request, if anything; then it is all of one piece.
    #[track_caller]
    pub(super) fn is_sound(&self, request: &Request) -> Option<Seen> {
        self.send(request).1
    }

    /// The method of a request that passes without a credential, and with nothing that names anybody.
    #[track_caller]
    pub(super) fn passes_as_nobody(&self, request: &Request) -> String {
        let (answer, arrived) = self.deliver(request);
        let arrived = arrived.unwrap_or_else(|| panic!("{request:?}\n{answer:?}\n{}", self.world.log()));
        let names =
            arrived.headers.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str());
        let telling = |name: &&str| *name == "authorization" || name.replace('_', "-").starts_with("x-");
        let told: Vec<_> = names.filter(telling).filter(|name| !name.starts_with("x-forwarded-")).collect();
        let told: Vec<_> = told.into_iter().filter(|name| !OF_THE_WAY.contains(name)).collect();
        assert!(told.is_empty(), "upstream sees {told:?}: {arrived:?}");
        arrived.method
    }

    /// Sends a request. Upstream sees nothing of it and the answer is another's, or upstream sees it once, with a
    /// token and what belongs to that.
    #[track_caller]
    fn send(&self, request: &Request) -> (Answer, Option<Seen>) {
        let (answer, arrived) = self.deliver(request);
        (answer, arrived.map(|arrived| self.seen(arrived)))
    }

    #[track_caller]
    fn deliver(&self, request: &Request) -> (Answer, Option<Arrived>) {
        let answer = in_time("an answer", request.send(self.gateway.address));
        let answer = self.runtime.block_on(answer).unwrap_or_else(|| panic!("no answer to {request:?}"));
        let arrived = self.upstream.take();
        let is_upstreams = answer.header(SIGN.0) == SIGN.1;
        assert_eq!(arrived.len(), usize::from(is_upstreams), "{request:?}\n{answer:?}\n{arrived:?}");
        (answer, arrived.into_iter().next())
    }

    #[track_caller]
    fn seen(&self, arrived: Arrived) -> Seen {
        let all = format!("{arrived:?}");
        let Arrived { method, target, headers, body } = arrived;
        assert!(!all.contains("clv_prd_") && !all.contains("pretender"), "upstream sees {all}");
        assert!(headers.get("x-api-key").is_none(), "upstream sees {all}");
        let (scheme, token) = only(&headers, "authorization").split_once(' ').expect("a scheme and a token");
        let claims = claims(token);
        // One that is bound to a key stays that, and has one proof.
        assert_eq!(scheme, if claims["cnf"].is_null() { "Bearer" } else { "DPoP" }, "upstream sees {all}");
        assert_eq!(claims["aud"], self.world.audience());
        for (name, claim) in
            [("sub", "sub"), ("org", "org"), ("project", "project"), ("env", "env"), ("scope", "scope")]
        {
            assert_eq!(only(&headers, &format!("x-claviger-{name}")), claims[claim], "upstream sees {all}");
        }
        if scheme == "DPoP" {
            only(&headers, "dpop");
        }
        let (scheme, token) = (scheme.to_owned(), token.to_owned());
        Seen { method, target, body, sub: claims["sub"].as_str().expect("text").to_owned(), scheme, token }
    }
}

/// The value of a header that is there once.
#[track_caller]
fn only<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    assert_eq!(values.len(), 1, "{name}: {headers:?}");
    values[0].to_str().expect("text")
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).expect("a JWT");
    serde_json::from_slice(&claims).expect("claims")
}
