//! The use cases of the management API.
//!
//! A mutation is a list of steps on one [`crate::store::Write`]: load the record inside the transaction, check the
//! request against it, change it, record the change, commit. Every decision therefore concerns exactly the state that
//! is committed, and nothing changes before the commit.

pub mod audit;
mod ceiling;
pub mod configuration;
mod diff;
mod error;
mod etag;
mod idempotency;
pub mod issuers;
pub mod keys;
mod last_admin;
mod listing;
pub mod master_key;
pub mod members;
mod nullable;
pub mod organizations;
pub mod overview;
mod portal_bounds;
pub mod portal_sessions;
pub mod projects;
pub mod scopes;
pub mod signing_keys;
pub mod usage;

use std::future::Future;

pub use diff::{Changed, changes};
pub use error::{ApiError, Conflict, Forbidden, InvalidRequest, ParameterError, Place};
pub use etag::{Etag, IfMatch, Versioned};
pub use idempotency::{Idempotent, IdempotentRequest};
pub use listing::PageRequest;
pub use portal_bounds::KeyAct;

use crate::base::clock::Timestamp;
use crate::domain::principal::Principal;
use crate::node::{Records, run_to_completion};
use crate::sharing::background;
use crate::store::{Reading, StoreError};
use crate::use_cases::access::Caller;

/// The conditions of a change.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Only report what would change.
    pub dry_run: bool,
    /// What may happen to the last administrator.
    pub force: Force,
    /// Change only this version (`If-Match`).
    pub if_match: Option<IfMatch>,
}

/// Whether a change may lock out the last administrator, or the caller itself (`?force=true`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// Such a change is refused with 409.
    #[default]
    No,
    /// Such a change is made.
    Yes,
}

impl From<bool> for Force {
    fn from(is_forced: bool) -> Self {
        if is_forced { Self::Yes } else { Self::No }
    }
}

/// Runs a mutation to its end, even if the client disconnects.
///
/// # Errors
/// The errors of the mutation, and [`ApiError::Internal`] when it panicked.
pub async fn carry_out<T: Send + 'static>(
    mutation: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    run_to_completion(mutation).await.unwrap_or_else(|| Err(ApiError::internal("the mutation panicked")))
}

/// Waits for a connection in the share of the caller's organization. The [`Reading`] holds its place: use it for one
/// query, and then drop it.
async fn reading(records: &Records, caller: &Caller) -> Result<Reading, StoreError> {
    reading_for(records, &caller.principal()).await
}

/// The same as [`reading`], for the share of `principal`.
async fn reading_for(records: &Records, principal: &Principal) -> Result<Reading, StoreError> {
    background::expect_here();
    records.store.reading(principal).await
}

/// Parses the time that `member` of a request holds.
///
/// # Errors
/// [`ApiError::InvalidRequest`].
pub fn moment(member: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse_rfc3339(text).ok_or(InvalidRequest::NotAMoment(member).into())
}

impl Terms {
    /// Checks that `current` is the requested version.
    ///
    /// # Errors
    /// [`ApiError::PreconditionFailed`].
    fn hold_for(&self, current: &impl Versioned) -> Result<(), ApiError> {
        self.if_match.as_ref().map_or(Ok(()), |if_match| if_match.check(current))
    }
}
