//! API keys that clients send directly. The verifier sends them to the issuer's gate, which issues a token for each.

use std::num::NonZeroU64;
use std::time::Duration;

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName, RETRY_AFTER};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::access::Access;
use super::refusal::{KeyFault, Refusal, Unavailable};
use super::settings::ApiKeys;
use super::shared::Shared;
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::client::{Answer, BaseUrl, Request};
use crate::domain::address::{CallerAddress, ForwardedHeader};
use crate::domain::api_key::looks_like_key;
use crate::domain::trace_context::{TRACEPARENT, TraceContext};
use crate::jose::claims::Presentation;
use crate::sharing::fair_cache::{Digest, FairCache, Life, digest_of};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The number of keys that are remembered.
const REMEMBERED_KEYS: usize = 10_000;

/// The number of concurrent requests to the gate. A request that waits for its turn may find the answer to another
/// request about the same key.
const CONCURRENT_REQUESTS: usize = 16;

/// The longest wait for a turn. While the issuer is unreachable, each request takes its full time limit.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Asks the gate about API keys, and remembers its answers.
#[derive(Debug)]
pub(super) struct GateClient {
    header: ForwardedHeader,
    remembered_seconds: i64,
    /// A request to the gate, by the verifier's client.
    gate: Request,
    /// The access of each key, and when the gate granted it.
    answers: FairCache<(Access, Timestamp)>,
    permits: Semaphore,
}

#[derive(Deserialize)]
struct Refused {
    error: RefusalReason,
}

#[derive(Deserialize)]
struct RefusalReason {
    code: String,
}

impl GateClient {
    pub(super) fn new(api_keys: ApiKeys, issuer: &BaseUrl, audience: &str) -> Self {
        let gate = Request::get_url(&issuer.clone().with_path(&format!("{}/v1/gate", issuer.path())));
        Self {
            header: api_keys.header,
            remembered_seconds: api_keys.remembered_seconds(),
            gate: gate
                .query("check", Some("credential"))
                .query("token", Some("1"))
                .query("audience", Some(audience)),
            answers: FairCache::new(REMEMBERED_KEYS),
            permits: Semaphore::new(CONCURRENT_REQUESTS),
        }
    }

    /// The access of a key. If the gate has to be asked, the question belongs to the caller's trace.
    pub(super) async fn access(
        &self,
        shared: &Shared,
        key: &str,
        caller: CallerAddress,
        trace: Option<TraceContext>,
    ) -> Result<Access, Refusal> {
        if !looks_like_key(key) {
            return Err(Refusal::Key(KeyFault::Unknown));
        }
        let digest = digest_of(key);
        if let Some(access) = self.remembered(shared, &digest, caller)? {
            return Ok(access);
        }
        let turn = timeout(LONGEST_WAIT, self.permits.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Refusal::Unavailable(Unavailable::Gate)) };
        if let Some(access) = self.remembered(shared, &digest, caller)? {
            return Ok(access);
        }
        let asked_at = shared.settings.clock.now();
        let token = self.ask(shared, key, caller, trace).await?;
        let access = shared.verify(&token, Presentation::Bearer, caller).await?;
        let until = asked_at.plus(self.remembered_seconds).unix();
        let life = Life { now: asked_at.unix(), until };
        self.answers.insert(digest, access.organization(), (access.clone(), asked_at), life);
        Ok(access)
    }

    /// The gate's recent answer about a key. If the token that the gate issued is no longer valid, the key itself may
    /// still be valid, so the gate is asked again.
    fn remembered(
        &self,
        shared: &Shared,
        digest: &Digest,
        caller: CallerAddress,
    ) -> Result<Option<Access>, Refusal> {
        let now = shared.settings.clock.now();
        let Some((access, asked_at)) = self.answers.get(digest) else { return Ok(None) };
        let age = now.since(asked_at);
        if !(0..self.remembered_seconds).contains(&age) {
            return Ok(None);
        }
        match shared.admit(access, Presentation::Bearer, caller, now) {
            Ok(access) => Ok(Some(access)),
            Err(Refusal::Revoked | Refusal::Token(_)) => {
                self.answers.invalidate(digest);
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Asks the gate for a token for a key that `caller` sends.
    async fn ask(
        &self,
        shared: &Shared,
        key: &str,
        caller: CallerAddress,
        trace: Option<TraceContext>,
    ) -> Result<String, Refusal> {
        let from = HeaderName::from_static(self.header.name());
        let request = self.gate.clone().header(from, Some(&self.header.value_for(caller)));
        let request = request.header(TRACEPARENT, trace.and_then(handed_on).as_deref());
        let request = request.secret_header(X_API_KEY, key);
        let answer = shared.client.send(request.ok_or(Refusal::Key(KeyFault::Unknown))?).await;
        let answer = answer.map_err(|error| {
            tracing::warn!("the issuer's gate can't be reached: {error}");
            Refusal::Unavailable(Unavailable::Gate)
        })?;
        read(&answer, caller)
    }
}

/// The `traceparent` of a question, with an id of its own. Without randomness, the question has none.
fn handed_on(trace: TraceContext) -> Option<String> {
    let parent_id = Entropy::system().bytes().ok()?;
    Some(trace.handed_on(NonZeroU64::new(u64::from_be_bytes(parent_id))?))
}

/// The token in an answer of the gate.
fn read(answer: &Answer, caller: CallerAddress) -> Result<String, Refusal> {
    if answer.status == StatusCode::OK {
        let token = answer.header(&AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        return token.map(str::to_owned).ok_or(Refusal::Unavailable(Unavailable::Gate));
    }
    let refused: Option<Refused> = serde_json::from_slice(&answer.body).ok();
    let code = refused.as_ref().map(|refused| refused.error.code.as_str());
    Err(match (answer.status, code) {
        (StatusCode::UNAUTHORIZED, Some("key_revoked")) => Refusal::Key(KeyFault::Revoked),
        (StatusCode::UNAUTHORIZED, Some("key_expired")) => Refusal::Key(KeyFault::Expired),
        (StatusCode::UNAUTHORIZED, Some("key_disabled")) => Refusal::Key(KeyFault::Disabled),
        (StatusCode::UNAUTHORIZED, Some("dpop_required")) => Refusal::Key(KeyFault::ProofRequired),
        (StatusCode::UNAUTHORIZED, Some("unauthenticated")) => Refusal::Key(KeyFault::Unknown),
        (StatusCode::FORBIDDEN, Some("address_not_allowed")) => Refusal::Address(caller),
        (StatusCode::FORBIDDEN, Some("forbidden")) => Refusal::NothingHere,
        (StatusCode::TOO_MANY_REQUESTS, _) => {
            let seconds = answer.header(&RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
            Refusal::RateLimited(seconds.unwrap_or(1))
        }
        (status, code) => {
            tracing::warn!(%status, code, "the issuer's gate did not answer about an API key");
            Refusal::Unavailable(Unavailable::Gate)
        }
    })
}
