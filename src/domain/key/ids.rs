//! The ids of a key's credentials. They are safe to show.

use std::fmt;
use std::str::FromStr;

use crate::base::entropy::{Entropy, EntropyError};

/// Defines an id: a prefix and 16 hexadecimal digits.
macro_rules! credential_id {
    ($(#[$about:meta])* $name:ident, $prefix:literal, $(#[doc = $refusal:literal])* $error:ident($text:literal)) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        $(#[doc = $refusal])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($text)]
        pub struct $error;

        impl $name {
            /// Generates a random id.
            ///
            /// # Errors
            /// When the system has no randomness.
            pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
                Ok(Self(u64::from_be_bytes(entropy.bytes()?)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{:016x}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                number(text, $prefix).map(Self).ok_or($error)
            }
        }
    };
}

credential_id!(
    /// The id of a secret: `sec_` and 16 hexadecimal digits. It reveals nothing about the secret.
    SecretId,
    "sec_",
    /// The text is not a secret's id.
    SecretIdError("a secret's id must be sec_ and 16 hexadecimal digits")
);

credential_id!(
    /// The id of a registered public key: `pub_` and 16 hexadecimal digits.
    PublicKeyId,
    "pub_",
    /// The text is not a public key's id.
    PublicKeyIdError("a public key's id must be pub_ and 16 hexadecimal digits")
);

credential_id!(
    /// The id of a registered trust rule: `tr_` and 16 hexadecimal digits.
    TrustRuleId,
    "tr_",
    /// The text is not a trust rule's id.
    TrustRuleIdError("a trust rule's id must be tr_ and 16 hexadecimal digits")
);

/// One spelling only: lower case, in full length.
fn number(text: &str, prefix: &str) -> Option<u64> {
    let digits = text.strip_prefix(prefix).filter(|digits| digits.len() == 16)?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.bytes().all(is_digit) { u64::from_str_radix(digits, 16).ok() } else { None }
}

/// The id of a credential of a key, of whatever kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A secret.
    Secret(SecretId),
    /// A registered public key.
    PublicKey(PublicKeyId),
    /// A trust rule.
    TrustRule(TrustRuleId),
}

impl From<SecretId> for CredentialId {
    fn from(id: SecretId) -> Self {
        Self::Secret(id)
    }
}

impl From<PublicKeyId> for CredentialId {
    fn from(id: PublicKeyId) -> Self {
        Self::PublicKey(id)
    }
}

impl From<TrustRuleId> for CredentialId {
    fn from(id: TrustRuleId) -> Self {
        Self::TrustRule(id)
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(id) => id.fmt(f),
            Self::PublicKey(id) => id.fmt(f),
            Self::TrustRule(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_only_in_one_spelling() {
        let id = SecretId::generate(&Entropy::scripted(0..8)).unwrap();
        assert_eq!(id.to_string(), "sec_0001020304050607");
        assert_eq!(id.to_string().parse(), Ok(id));
        let key: PublicKeyId = "pub_0001020304050607".parse().unwrap();
        assert_eq!(CredentialId::PublicKey(key).to_string(), "pub_0001020304050607");
        for bad in [
            "",
            "sec_",
            "0001020304050607",
            "pub_0001020304050607",
            "sec_000102030405060G",
            "sec_000102030405060A",
            "sec_+001020304050607",
        ] {
            assert_eq!(bad.parse::<SecretId>(), Err(SecretIdError), "{bad}");
        }
    }
}
