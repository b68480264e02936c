//! The reasons for refusing keys and their tokens.

/// Why a key or one of its tokens is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// The secret is right but the key is revoked; or the token or its key is revoked.
    Revoked,
    /// The secret is right, and the key has expired.
    Expired,
    /// The secret is right or the token was valid, but the key is disabled.
    Disabled,
    /// The secret or the token is valid, but not from this address.
    Address,
    /// The key was issued here, but its secret is not valid. Usually, it is a retired one.
    Secret,
    /// The credential is valid, but the key requires a proof of possession, and none came with it.
    Proof,
}

impl RefusalReason {
    /// The reason as text: `revoked`, `expired`, `disabled`, `address`, `secret` or `proof`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Address => "address",
            Self::Secret => "secret",
            Self::Proof => "proof",
        }
    }
}
