//! The beginning of a key's id, for a search by people who don't have the whole id.

use std::str::FromStr;

use super::name::{is_brand, is_environment};
use super::{Brand, EnvironmentSlug, ID_LEN};

/// The fewest characters of an id that a search accepts: as many as lists show.
const LEAST: usize = 4;

/// The beginning of a key's id, on its own (`key_4f2a`, or the whole id) or as lists show it (`clv_prd_4f2a…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyClue {
    beginning: String,
    issued_as: Option<(String, String)>,
}

/// The text is not such a beginning. The error doesn't quote it, because it may be a whole key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is a key's id, the first 4 or more characters of one (key_4f2a), or a prefix as lists show it (clv_prd_4f2a)"
)]
pub struct KeyClueError;

impl KeyClue {
    /// The prefix of the ids to search for, including `key_`.
    pub fn beginning(&self) -> &str {
        &self.beginning
    }

    /// The brand and the environment, if the text has them.
    pub fn issued_as(&self) -> Option<(&str, &str)> {
        self.issued_as.as_ref().map(|(brand, environment)| (brand.as_str(), environment.as_str()))
    }

    /// Whether a key with this brand and environment may match.
    pub fn fits(&self, brand: &Brand, environment: &EnvironmentSlug) -> bool {
        self.issued_as
            .as_ref()
            .is_none_or(|issued| (&*issued.0, &*issued.1) == (brand.as_str(), environment.as_str()))
    }
}

impl FromStr for KeyClue {
    type Err = KeyClueError;

    fn from_str(text: &str) -> Result<Self, KeyClueError> {
        let text = text.trim_end_matches('…').trim_end_matches("...");
        let parts: Vec<&str> = text.split('_').collect();
        let (issued_as, beginning) = match parts[..] {
            ["key", beginning] => (None, beginning),
            [brand, environment, beginning] if is_brand(brand) && is_environment(environment) => {
                (Some((brand.to_owned(), environment.to_owned())), beginning)
            }
            _ => return Err(KeyClueError),
        };
        let is_of_an_id = (LEAST..=ID_LEN).contains(&beginning.len())
            && beginning.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_of_an_id {
            return Err(KeyClueError);
        }
        Ok(Self { beginning: format!("key_{beginning}"), issued_as })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clue_is_the_beginning_of_an_id_or_what_lists_show() {
        let issued = |brand: &str, environment: &str| Some((brand.to_owned(), environment.to_owned()));
        for (text, beginning, issued_as) in [
            ("key_4f2a", "key_4f2a", None),
            ("key_0123456789abcdef", "key_0123456789abcdef", None),
            ("clv_prd_4f2a…", "key_4f2a", issued("clv", "prd")),
            ("clv_prd_4f2a", "key_4f2a", issued("clv", "prd")),
            ("acme_live_4f2aB...", "key_4f2aB", issued("acme", "live")),
            ("key_prd_4f2a", "key_4f2a", issued("key", "prd")),
        ] {
            let expected = KeyClue { beginning: beginning.into(), issued_as };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        let key = "clv_prd_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ01234";
        for text in [
            "",
            "key_",
            "key_4f2",
            "4f2a",
            "key_4f2%",
            "key_0123456789abcdefg",
            "Clv_prd_4f2a",
            "key_é234",
            key,
        ] {
            assert_eq!(text.parse::<KeyClue>(), Err(KeyClueError), "{text}");
        }
    }

    #[test]
    fn a_prefix_fits_its_own_brand_and_environment() {
        let clue: KeyClue = "clv_prd_4f2a".parse().unwrap();
        let fits = |clue: &KeyClue, brand: &str, environment: &str| {
            clue.fits(&brand.parse().unwrap(), &environment.parse().unwrap())
        };
        assert!(fits(&clue, "clv", "prd") && !fits(&clue, "clv", "dev") && !fits(&clue, "acme", "prd"));
        assert!(fits(&"key_4f2a".parse().unwrap(), "acme", "dev"));
    }
}
