//! What people type to find a key.

use super::{EnvironmentSlug, ID_LEN, KeyClue, KeyId};
use crate::domain::api_key::Brand;

/// The fewest characters of an id that count as its beginning: as many as lists show.
const LEAST: usize = 4;

/// A longer run of letters and digits than this is no word of a name, and the end of a key is one.
const LONGEST_WORD: usize = 40;

/// The key that a search is for, if the text is a whole id or contains a key with its secret. Of such a key, only the id may
/// be kept, shown or sent.
pub fn sought_key(text: &str) -> Option<KeyId> {
    let text = text.trim();
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    text.parse().ok().or_else(|| words.find_map(id_of_key))
}

/// The id in a word that is, or could be, a key with its secret.
fn id_of_key(word: &str) -> Option<KeyId> {
    let (before, body) = word.rsplit_once('_')?;
    let is_key = body.len() > LONGEST_WORD && before.contains('_');
    if is_key { KeyId::from_bare(body.get(..ID_LEN)?) } else { None }
}

/// The beginning of an id that a search text may be, together with the beginning of a key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdBeginning {
    /// The beginning, with `key_`.
    pub id: String,
    /// The brand and the environment, if the text has them.
    pub issued_as: Option<(Brand, EnvironmentSlug)>,
}

impl IdBeginning {
    /// Reads `key_4f2a`, `clv_prd_4f2a…` or `4f2a`. `None` if the text can't be the beginning of an id.
    pub fn read(text: &str) -> Option<Self> {
        if let Ok(clue) = text.parse::<KeyClue>() {
            let issued_as =
                clue.issued_as().map(|(brand, slug)| Some((brand.parse().ok()?, slug.parse().ok()?)));
            return Some(Self { id: clue.beginning().to_owned(), issued_as: issued_as.flatten() });
        }
        let is_of_an_id =
            (LEAST..=ID_LEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_of_an_id.then(|| Self { id: format!("key_{text}"), issued_as: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_whatever_was_pasted_around_it() {
        let key = "clv_prd_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ01234";
        let id: KeyId = "key_0123456789abcdef".parse().unwrap();
        for text in [
            "key_0123456789abcdef",
            " key_0123456789abcdef\n",
            key,
            &format!("  \"{key}\","),
            &format!("CLAVIGER_API_KEY={key}"),
            &format!("curl -H 'Authorization: Bearer {key}' https://api.example"),
            // The end is missing, or too much was selected.
            &key[..60],
            &format!("{key}xyz"),
        ] {
            assert_eq!(sought_key(text), Some(id), "{text}");
        }
        for text in [
            "",
            "billing",
            "a_b_c",
            "nightly_export_internationalization",
            "key_0123",
            "clv_prd_0123…",
            &key[8..],
        ] {
            assert_eq!(sought_key(text), None, "{text}");
        }
    }

    #[test]
    fn a_beginning_of_an_id_may_stand_alone() {
        let issued = Some(("clv".parse().unwrap(), "prd".parse().unwrap()));
        for (text, id, issued_as) in [
            ("key_4f2a", "key_4f2a", None),
            ("clv_prd_4f2a…", "key_4f2a", issued),
            ("4f2a", "key_4f2a", None),
        ] {
            assert_eq!(IdBeginning::read(text), Some(IdBeginning { id: id.into(), issued_as }), "{text}");
        }
        for text in ["", "4f2", "a b c", "payments-worker", "0123456789abcdefg"] {
            assert_eq!(IdBeginning::read(text), None, "{text}");
        }
    }
}
