//! Ids that are a prefix and 16 hexadecimal digits. They are safe to show.

/// Defines an id: a prefix and 16 hexadecimal digits.
macro_rules! hex_id {
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
            pub fn generate(
                entropy: &$crate::base::entropy::Entropy,
            ) -> Result<Self, $crate::base::entropy::EntropyError> {
                Ok(Self(u64::from_be_bytes(entropy.bytes()?)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{:016x}"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                $crate::domain::hex_id::number(text, $prefix).map(Self).ok_or($error)
            }
        }
    };
}

pub(crate) use hex_id;

/// One spelling only: lower case, in full length.
pub(super) fn number(text: &str, prefix: &str) -> Option<u64> {
    let digits = text.strip_prefix(prefix).filter(|digits| digits.len() == 16)?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.bytes().all(is_digit) { u64::from_str_radix(digits, 16).ok() } else { None }
}
