//! Where a page of a list ended, so that only this server can have said so, and only of that list.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use subtle::ConstantTimeEq as _;

/// The text is not a cursor of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cursor is not one that this list gave out")]
pub struct CursorError;

const TAG_LEN: usize = 16;

/// Makes and reads cursors.
pub struct CursorKeeper(hmac::Key);

impl CursorKeeper {
    /// Cursors under `key`; the same on every node of a deployment.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The cursor of position `at` in the list that `list` describes.
    pub fn write(&self, list: &str, at: i64) -> String {
        let mut bytes = at.to_be_bytes().to_vec();
        let tag = hmac::sign(&self.0, &message(list, &bytes));
        bytes.extend_from_slice(&tag.as_ref()[..TAG_LEN]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor stands for in the list that `list` describes.
    ///
    /// # Errors
    /// [`CursorError`] for anything that [`CursorKeeper::write`] did not give out for this list.
    pub fn read(&self, list: &str, cursor: &str) -> Result<i64, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError)?;
        let (position, _) = bytes.split_first_chunk::<8>().ok_or(CursorError)?;
        let at = i64::from_be_bytes(*position);
        if bool::from(self.write(list, at).as_bytes().ct_eq(cursor.as_bytes())) {
            Ok(at)
        } else {
            Err(CursorError)
        }
    }
}

fn message(list: &str, position: &[u8]) -> Vec<u8> {
    // The position has a fixed length, so no two pairs make the same message.
    [position, list.as_bytes()].concat()
}

impl fmt::Debug for CursorKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKeeper([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_list_and_unchanged() {
        let keeper = CursorKeeper::new(&[1; 32]);
        let cursor = keeper.write("keys of acme", 42);
        assert_eq!(keeper.read("keys of acme", &cursor), Ok(42));
        assert_eq!(keeper.read("keys of other", &cursor), Err(CursorError));
        assert_eq!(CursorKeeper::new(&[2; 32]).read("keys of acme", &cursor), Err(CursorError));
        for bad in ["", "AAAA", &cursor[1..], &format!("{cursor}A"), "!!!"] {
            assert_eq!(keeper.read("keys of acme", bad), Err(CursorError), "{bad}");
        }
    }
}
