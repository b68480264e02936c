//! The ids of a key's credentials. They are safe to show.

use std::fmt;

use crate::domain::hex_id::hex_id;

hex_id!(
    /// The id of a secret: `sec_` and 16 hexadecimal digits. It reveals nothing about the secret.
    SecretId,
    "sec_",
    /// The text is not a secret's id.
    SecretIdError("a secret's id must be sec_ and 16 hexadecimal digits")
);

hex_id!(
    /// The id of a registered public key: `pub_` and 16 hexadecimal digits.
    PublicKeyId,
    "pub_",
    /// The text is not a public key's id.
    PublicKeyIdError("a public key's id must be pub_ and 16 hexadecimal digits")
);

hex_id!(
    /// The id of a registered trust rule: `tr_` and 16 hexadecimal digits.
    TrustRuleId,
    "tr_",
    /// The text is not a trust rule's id.
    TrustRuleIdError("a trust rule's id must be tr_ and 16 hexadecimal digits")
);

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
    use crate::base::entropy::Entropy;

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
