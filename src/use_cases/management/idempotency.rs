//! Requests that a client may repeat (`Idempotency-Key`): a repetition creates nothing, and gets the first answer
//! again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use super::{ApiError, Conflict};
use crate::node::{InFlightRequest, Records};
use crate::store::{IdempotencyRecord, Write};
use crate::use_cases::access::Caller;

/// A request that its client may send again, identified by a key of the client's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// A digest of the method, the path and the `Idempotency-Key`. Only a digest is kept, in case the header holds a
    /// secret by mistake.
    request: String,
    /// A digest of the body.
    body: [u8; 32],
}

/// A new record, or the answer from when it was created.
#[derive(Debug)]
pub enum Idempotent<T> {
    /// The record was just created.
    New(T),
    /// The record was created before. The value is the answer of that time, without the secret.
    Replayed(Value),
}

/// The handling of one request, which may be idempotent or not.
pub(super) struct IdempotencyGuard(Option<Claim>);

struct Claim {
    caller: String,
    idempotent: IdempotentRequest,
    /// Keeps out a second such request at the same time.
    _in_flight: InFlightRequest,
}

impl IdempotentRequest {
    /// Identifies a request by its method, its path, its `Idempotency-Key` and its body.
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
        let caller = caller.id().internal();
        let in_flight = records.in_flight.enter((caller.clone(), idempotent.request.clone()));
        let _in_flight = in_flight.ok_or(Conflict::InFlight)?;
        Ok(Self(Some(Claim { caller, idempotent, _in_flight })))
    }

    /// The earlier answer to the request, if it is a repetition.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when the earlier request had another body.
    pub(super) async fn replay(&self, write: &mut Write) -> Result<Option<Value>, ApiError> {
        let Self(Some(claimed)) = self else { return Ok(None) };
        let record = write.idempotency_record(&claimed.caller, &claimed.idempotent.request).await?;
        let Some(record) = record else { return Ok(None) };
        if record.digest != claimed.idempotent.body {
            return Err(Conflict::OtherBody.into());
        }
        serde_json::from_str(&record.answer).map(Some).map_err(ApiError::internal)
    }

    /// Saves the answer, which contains no secret.
    pub(super) async fn save(&self, write: &mut Write, answer: &impl Serialize) -> Result<(), ApiError> {
        let Self(Some(claimed)) = self else { return Ok(()) };
        let answer = serde_json::to_string(answer).map_err(ApiError::internal)?;
        let record = IdempotencyRecord { digest: claimed.idempotent.body, answer };
        Ok(write.insert_idempotency_record(&claimed.caller, &claimed.idempotent.request, &record).await?)
    }
}
