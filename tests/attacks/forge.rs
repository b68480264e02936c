//! The workshop: a good token taken apart, and the issuer's own key to sign what becomes of it.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::SigningKey;
use claviger::jose::jws::JwsFault;
use claviger::node::keyring::Ring;
use serde_json::Value;

use crate::support::Server;

/// For whom a good token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// A resource server.
    Resources,
    /// The issuer itself.
    Management,
}

/// A token that every reader accepts, and all that it takes to make another.
pub(crate) struct Good {
    pub(crate) token: String,
    pub(crate) header: Value,
    pub(crate) payload: Value,
    pub(crate) whom: For,
    ring: Arc<Ring>,
    now: Timestamp,
}

/// A token that breaks one rule.
pub(crate) struct Forgery {
    pub(crate) name: String,
    pub(crate) token: String,
    /// The rule, in the verifier's words.
    pub(crate) fault: TokenFault,
    /// Introspection is for the tokens of others too, so there it is good.
    pub(crate) is_for_others: bool,
}

impl For {
    /// Where such a token is shown in a header: at the gate, or at the management API.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Resources => "/v1/gate?action=read&resource=orders/7",
            Self::Management => "/v1/self",
        }
    }
}

impl Good {
    pub(crate) fn new(token: String, whom: For, server: &Server) -> Self {
        let part = |at| {
            let part: &str = token.split('.').nth(at).unwrap();
            serde_json::from_slice(&BASE64URL.decode(part).unwrap()).unwrap()
        };
        let (header, payload) = (part(0), part(1));
        let (ring, now) = (server.node.signer.keyring.ring(), server.clock.now());
        Self { header, payload, whom, ring, now, token }
    }

    /// The issuer's key.
    pub(crate) fn key(&self) -> &SigningKey {
        self.ring.signing(self.now).unwrap().signer().key()
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.unix()
    }

    /// Header, payload, signature.
    pub(crate) fn parts(&self) -> [&str; 3] {
        let parts: Vec<&str> = self.token.split('.').collect();
        parts.try_into().unwrap()
    }

    /// The signature's bytes.
    pub(crate) fn signature(&self) -> Vec<u8> {
        BASE64URL.decode(self.parts()[2]).unwrap()
    }

    /// Signs exactly these texts as header and payload.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        sign(self.key(), header, payload)
    }

    /// Signs this payload under the good header.
    pub(crate) fn sign_payload(&self, payload: &str) -> String {
        self.sign(&self.header.to_string(), payload)
    }

    /// Signs the good payload under this header.
    pub(crate) fn sign_header(&self, header: &str) -> String {
        self.sign(header, &self.payload.to_string())
    }

    /// The good token but for one member of its header, which `null` takes away.
    pub(crate) fn with_header(&self, member: &str, value: Value) -> String {
        self.sign_header(&with(&self.header, member, value).to_string())
    }

    /// The good token but for one claim, which `null` takes away.
    pub(crate) fn with_claim(&self, claim: &str, value: Value) -> String {
        self.sign_payload(&with(&self.payload, claim, value).to_string())
    }

    /// The good token but for its signature.
    pub(crate) fn signed_by(&self, signature: &[u8]) -> String {
        let [header, payload, _] = self.parts();
        format!("{header}.{payload}.{}", BASE64URL.encode(signature))
    }
}

impl Forgery {
    pub(crate) fn new(
        name: impl Into<String>,
        token: impl Into<String>,
        fault: impl Into<TokenFault>,
    ) -> Self {
        Self { name: name.into(), token: token.into(), fault: fault.into(), is_for_others: false }
    }

    /// One whose signature is wrong.
    pub(crate) fn unsigned(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self::new(name, token, JwsFault::Signature)
    }

    /// One that is good for somebody else.
    pub(crate) fn for_others(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self { is_for_others: true, ..Self::new(name, token, TokenFault::Audience) }
    }
}

/// `base` with one member set, or without it.
pub(crate) fn with(base: &Value, member: &str, value: Value) -> Value {
    let mut changed = base.clone();
    if value.is_null() {
        changed.as_object_mut().unwrap().remove(member);
    } else {
        changed[member] = value;
    }
    changed
}

/// `object` with more members, as they stand, at its beginning and at its end.
pub(crate) fn spliced(object: &Value, members: &str) -> [String; 2] {
    let text = object.to_string();
    let inner = &text[1..text.len() - 1];
    [format!("{{{members},{inner}}}"), format!("{{{inner},{members}}}")]
}

/// Signs exactly these texts as header and payload.
pub(crate) fn sign(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64URL.encode(signature))
}
