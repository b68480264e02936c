//! Cursors, which mark where a page of a list ended. A cursor is sealed and bound to its list: clients can neither
//! forge one, nor use it for another list, nor read in it what the list does not show them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::MasterKeys;
use crate::base::entropy::{Entropy, EntropyError};

/// The text is not a cursor of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list")]
pub struct CursorError;

/// Writes and reads cursors, sealed under the deployment's master key.
#[derive(Debug)]
pub struct CursorKeeper(Arc<MasterKeys>);

impl CursorKeeper {
    /// Seals cursors under the active master key. Cursors of the other master keys at hand are good, too.
    pub const fn new(master_keys: Arc<MasterKeys>) -> Self {
        Self(master_keys)
    }

    /// Writes the cursor of the position `at` in the list that `list` describes.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn write(&self, list: &str, at: &impl Serialize, entropy: &Entropy) -> Result<String, EntropyError> {
        let at = serde_json::to_vec(at).map_err(|_| EntropyError)?;
        Ok(URL_SAFE_NO_PAD.encode(self.0.active().cursors.seal(&at, list.as_bytes(), entropy)?))
    }

    /// Reads the position of a cursor in the list that `list` describes.
    ///
    /// # Errors
    /// [`CursorError`] for any text that [`CursorKeeper::write`] did not return for this list.
    pub fn read<P: DeserializeOwned>(&self, list: &str, cursor: &str) -> Result<P, CursorError> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError)?;
        let at = self.0.open_cursor(&sealed, list.as_bytes()).map_err(|_| CursorError)?;
        serde_json::from_slice(&at).map_err(|_| CursorError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::master_key::MasterKey;

    fn keeper(first: u8) -> CursorKeeper {
        let master_key = MasterKey::generate(&Entropy::scripted(first..first + 32)).unwrap();
        CursorKeeper::new(Arc::new(MasterKeys::only(master_key.derived())))
    }

    #[test]
    fn a_cursor_is_good_for_its_list_and_unchanged() {
        let keeper_of = keeper(1);
        let cursor = keeper_of.write("keys of acme", &("name", 42), &Entropy::system()).unwrap();
        let read = |keeper: &CursorKeeper, list, cursor: &str| keeper.read::<(String, i64)>(list, cursor);
        assert_eq!(read(&keeper_of, "keys of acme", &cursor), Ok(("name".to_owned(), 42)));
        assert_eq!(read(&keeper_of, "keys of other", &cursor), Err(CursorError));
        assert_eq!(read(&keeper(2), "keys of acme", &cursor), Err(CursorError));
        for bad in ["", "AAAA", &cursor[1..], &format!("{cursor}A"), "!!!"] {
            assert_eq!(read(&keeper_of, "keys of acme", bad), Err(CursorError), "{bad}");
        }
    }
}
