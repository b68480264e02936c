//! Looking for secrets, in whatever spelling.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

/// A secret, and how it would look.
pub(crate) struct Needle {
    what: &'static str,
    spellings: Vec<String>,
}

impl Needle {
    pub(crate) fn text(what: &'static str, secret: &str) -> Self {
        Self::bytes(what, secret.trim_end().as_bytes())
    }

    /// As it is, and as it would look inside of something that is base64 as a whole.
    pub(crate) fn bytes(what: &'static str, secret: &[u8]) -> Self {
        assert!(secret.len() >= 20, "{what} is too short to be looked for");
        let mut spellings = vec![latin(secret)];
        for alphabet in [STANDARD, URL_SAFE] {
            spellings.extend((0..3).map(|before| base64_after(before, secret, &alphabet)));
        }
        Self { what, spellings }
    }
}

/// The base64 of a secret that has so many bytes before it, without the characters that these or what
/// comes after it have a part in.
fn base64_after(before: usize, secret: &[u8], alphabet: &Alphabet) -> String {
    let padded = [&vec![0; before][..], secret].concat();
    let encoded = GeneralPurpose::new(alphabet, NO_PAD).encode(&padded);
    let whole = padded.len() * 8 / 6;
    encoded[(before * 8).div_ceil(6)..whole].to_owned()
}

/// Whether a text that is no secret is there: what is looked through is the right thing then.
pub(crate) fn is_in(text: &str, places: &[(String, Vec<u8>)]) -> bool {
    places.iter().any(|(_, content)| latin(content).contains(text))
}

/// Fails when one of the secrets is in one of the texts.
pub(crate) fn assert_absent(secrets: &[Needle], texts: &[(String, Vec<u8>)]) {
    for (place, text) in texts {
        let text = latin(text);
        for secret in secrets {
            for spelling in &secret.spellings {
                let Some(at) = text.find(spelling.as_str()) else { continue };
                let around: String = text[..at].chars().rev().take(200).collect();
                let around: String = around.chars().rev().collect();
                panic!("{} is in {place}, after: {around}", secret.what);
            }
        }
    }
}

/// Every file below a folder but what is meant to hold secrets.
pub(crate) fn files_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("keys") {
            files.extend(files_in(&path));
        } else if path.is_file() {
            // A database's own files come and go.
            files.extend(fs::read(&path).map(|content| (path.display().to_string(), content)));
        }
    }
    files
}

/// Bytes as characters, one for each, so that a text can be looked for in what is none.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
