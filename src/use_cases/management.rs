//! The use cases of the management API.
//!
//! A mutation is a list of steps on one [`crate::store::Write`]: find the thing as it is in there, hold the
//! request against it, change it, record the change, commit. What is decided is so decided on what will be
//! committed, and nothing has happened until then.

pub mod audit;
mod ceiling;
pub mod configuration;
mod diff;
mod error;
mod etag;
mod idempotency;
pub mod keys;
mod last_admin;
mod listing;
mod nullable;
pub mod organizations;
pub mod projects;
pub mod signing_keys;
pub mod usage;

use std::future::Future;

pub use diff::{Changed, changes};
pub use error::ApiError;
pub use etag::{Etag, IfMatch, Versioned};
pub use idempotency::{Idempotent, IdempotentRequest};
pub use listing::PageRequest;

use crate::base::clock::Timestamp;
use crate::node::{Records, run_to_completion};
use crate::store::{Reading, StoreError};
use crate::use_cases::access::Caller;

/// On what terms something is to be changed.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Only say what would change.
    pub dry_run: bool,
    /// What may happen to the last administrator.
    pub force: Force,
    /// Only if it is still this version.
    pub if_match: Option<IfMatch>,
}

/// Whether a change may lock out the last administrator, or the caller itself (`?force=true`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// It is refused with 409.
    #[default]
    No,
    /// It is carried out.
    Yes,
}

impl From<bool> for Force {
    fn from(is_forced: bool) -> Self {
        if is_forced { Self::Yes } else { Self::No }
    }
}

/// Carries a mutation out to its end, even if the client that asked for it goes away.
///
/// # Errors
/// Its own; and [`ApiError::Internal`] when it panicked.
pub async fn carry_out<T: Send + 'static>(
    mutation: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    run_to_completion(mutation).await.unwrap_or_else(|| Err(ApiError::internal("the mutation panicked")))
}

/// Begins to read the store for a caller, who takes from the share of their organization. It holds a connection's place:
/// for one question, and then to be dropped.
async fn reading(records: &Records, caller: &Caller) -> Result<Reading, StoreError> {
    records.store.reading(&caller.principal()).await
}

/// The moment that `member` of a request names.
///
/// # Errors
/// [`ApiError::InvalidRequest`].
pub fn moment(member: &str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        ApiError::invalid(format!("{member} is not an RFC 3339 time such as 2030-01-31T12:00:00Z"))
    })
}

impl Terms {
    /// Whether `current` is the version that is to be changed.
    ///
    /// # Errors
    /// [`ApiError::PreconditionFailed`].
    fn hold_for(&self, current: &impl Versioned) -> Result<(), ApiError> {
        self.if_match.as_ref().map_or(Ok(()), |if_match| if_match.check(current))
    }
}
