//! A key as an argument.

use std::fmt;
use std::str::FromStr;

use crate::domain::api_key::{KeyId, claimed_id};

/// A key, given as its id or as the whole key, since somebody who finds a key has nothing else. Only its id is used;
/// the secret is neither kept nor sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyArgument(pub(super) KeyId);

impl FromStr for KeyArgument {
    type Err = <KeyId as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        claimed_id(text.trim()).map_or_else(|| text.parse(), Ok).map(Self)
    }
}

impl fmt::Display for KeyArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_and_a_whole_key_are_accepted() {
        let key = "clv_prd_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ01234";
        for text in ["key_0123456789abcdef", key, &format!(" {key}\n")] {
            assert_eq!(text.parse::<KeyArgument>().unwrap().to_string(), "key_0123456789abcdef");
        }
        for text in ["", "0123456789abcdef", "clv_prd_0123456789abcdef"] {
            assert!(text.parse::<KeyArgument>().is_err(), "{text}");
        }
    }
}
