//! Why a credential of a key is not accepted.

use super::Cause;
use super::secrets::Busy;
use crate::domain::address::CallerAddress;
use crate::domain::refusal_reason::RefusalReason;
use crate::jose::assertion::AssertionFault;
use crate::store::StoreError;

/// Why a presented key is not accepted. Each endpoint decides how much of this the client learns. An unknown id, a bad
/// tag and a wrong secret are the same error, so no endpoint can tell them apart.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The key is not one of ours, or the secret is wrong.
    #[error("unknown key or wrong secret")]
    Unknown,
    /// This client sent too many wrong secrets from this address. The value is the wait in seconds.
    #[error("too many wrong secrets; wait {0} s")]
    Throttled(i64),
    /// The assertion breaks this rule.
    #[error("the assertion is refused: {0}")]
    Assertion(AssertionFault),
    /// The key, or its organization, has used as many assertions as are remembered.
    #[error("too many assertions of this key are still valid")]
    TooManyAssertions,
    /// The credential is right, but the key was revoked.
    #[error("the key is revoked")]
    Revoked,
    /// The credential is right, but the key has expired.
    #[error("the key has expired")]
    Expired,
    /// The credential is right, but the key is disabled.
    #[error("the key is disabled")]
    Disabled,
    /// The credential is right, but the key may not be used from this address.
    #[error("the key is not allowed from address {0}")]
    Address(CallerAddress),
    /// The credential is right, but the key works only by way of tokens that are bound to a key of the client.
    #[error("the key works only with bound tokens (DPoP)")]
    ProofRequired,
    /// The key is not in memory, and the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store was last confirmed too long ago to rely on memory. The value is its age in seconds.
    #[error("the store was last confirmed {0} s ago")]
    Stale(u64),
    /// The slow hash had no free thread in time.
    #[error(transparent)]
    Busy(#[from] Busy),
}

impl AuthenticationError {
    /// The cause under which the log counts the error, if the presenter proved nothing: anybody can cause such an
    /// error, as often as they like.
    pub(super) fn anonymous(&self) -> Option<Cause> {
        let code = match self {
            Self::Revoked | Self::Expired | Self::Disabled | Self::Address(_) | Self::ProofRequired => {
                return None;
            }
            Self::Unknown => "unknown",
            Self::Assertion(_) | Self::TooManyAssertions => "assertion",
            Self::Throttled(_) => "throttled",
            Self::Store(_) | Self::Stale(_) => "store",
            Self::Busy(_) => "busy",
        };
        Some(Cause { what: "a key was not accepted", code, warns: false })
    }

    pub(super) fn of(reason: RefusalReason, caller: CallerAddress) -> Self {
        match reason {
            RefusalReason::Revoked => Self::Revoked,
            RefusalReason::Expired => Self::Expired,
            RefusalReason::Disabled => Self::Disabled,
            RefusalReason::Address => Self::Address(caller),
            RefusalReason::Secret => Self::Unknown,
            RefusalReason::Proof => Self::ProofRequired,
        }
    }
}
