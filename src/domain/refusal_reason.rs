//! Why keys, and tokens of them, are refused.

/// Why a key, or a token of it, was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// The secret is right, and the key is revoked; or the token is revoked, or its key.
    Revoked,
    /// The secret is right, and the key has expired.
    Expired,
    /// The secret is right, or the token was, and the key is disabled.
    Disabled,
    /// The secret is right, or the token good, but not from there.
    Address,
    /// The key was made here, and its secret does not open it: one that is retired, as a rule.
    Secret,
}

impl RefusalReason {
    /// `revoked`, `expired`, `disabled`, `address` or `secret`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Address => "address",
            Self::Secret => "secret",
        }
    }
}
