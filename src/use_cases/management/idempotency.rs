//! Requests that may come again: the second time nothing is made, and the first answer is given once more
//! (`Idempotency-Key`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use super::ApiError;
use crate::domain::api_key::KeyId;
use crate::node::{InFlightRequest, Records};
use crate::store::{IdempotencyRecord, Write};
use crate::use_cases::access::Caller;

/// A request that its client may send again, by the client's own name for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// A digest of method, path and the client's name for it: a secret in the wrong header is not kept.
    request: String,
    /// A digest of the body.
    body: [u8; 32],
}

/// Something new, or what was answered when it was.
#[derive(Debug)]
pub enum Idempotent<T> {
    /// It was made just now.
    New(T),
    /// It was made before: the answer of then, without its secret.
    Replayed(Value),
}

/// The handling of one idempotent request, or of one that is not.
pub(super) struct IdempotencyGuard(Option<Claim>);

struct Claim {
    caller: KeyId,
    idempotent: IdempotentRequest,
    /// Keeps the second of two at once out.
    _in_flight: InFlightRequest,
}

impl IdempotentRequest {
    /// A request by its method, its path, the client's name for it and its body.
    pub fn new(method: &str, path: &str, name: &str, body: &[u8]) -> Self {
        let request = digest(&SHA256, format!("{method}\n{path}\n{name}").as_bytes());
        let mut digest_of_body = [0; 32];
        digest_of_body.copy_from_slice(digest(&SHA256, body).as_ref());
        Self { request: URL_SAFE_NO_PAD.encode(request), body: digest_of_body }
    }
}

impl IdempotencyGuard {
    /// Begins a request of `caller`.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] while the same request is in flight.
    pub(super) fn begin(
        records: &Records,
        caller: &Caller,
        idempotent: Option<IdempotentRequest>,
    ) -> Result<Self, ApiError> {
        let Some(idempotent) = idempotent else { return Ok(Self(None)) };
        let caller = caller.key.key.id;
        let in_flight = records.in_flight.enter((caller, idempotent.request.clone()));
        let _in_flight =
            in_flight.ok_or_else(|| conflict("a request with this Idempotency-Key is in progress"))?;
        Ok(Self(Some(Claim { caller, idempotent, _in_flight })))
    }

    /// What the request was answered, if it came before.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when it came with another body.
    pub(super) async fn replay(&self, write: &mut Write) -> Result<Option<Value>, ApiError> {
        let Self(Some(claimed)) = self else { return Ok(None) };
        let record = write.idempotency_record(&claimed.caller, &claimed.idempotent.request).await?;
        let Some(record) = record else { return Ok(None) };
        if record.digest != claimed.idempotent.body {
            return Err(conflict("this Idempotency-Key was used with a different body"));
        }
        serde_json::from_str(&record.answer).map(Some).map_err(ApiError::internal)
    }

    /// Keeps the answer, which has no secret in it.
    pub(super) async fn save(&self, write: &mut Write, answer: &impl Serialize) -> Result<(), ApiError> {
        let Self(Some(claimed)) = self else { return Ok(()) };
        let answer = serde_json::to_string(answer).map_err(ApiError::internal)?;
        let record = IdempotencyRecord { digest: claimed.idempotent.body, answer };
        Ok(write.insert_idempotency_record(&claimed.caller, &claimed.idempotent.request, &record).await?)
    }
}

fn conflict(why: &str) -> ApiError {
    ApiError::Conflict(why.into())
}
