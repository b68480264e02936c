//! The place of the master key: the environment, or else a file.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};
use crate::base::key_file::{self, KeyFileError, Readers};
use crate::base::master_key::{MasterKey, MasterKeyError};
use crate::base::variables::variable;

const VARIABLE: &str = "CLAVIGER_MASTER_KEY";

/// The place where the master key is looked for.
pub struct MasterKeyPlace<'a> {
    keys_dir: &'a Path,
    readers: Readers,
    variable: Option<Zeroizing<String>>,
}

/// Why the master key of a store or a backup is not available.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyFault {
    /// There is no master key.
    #[error("the {of} was made with a master key that is not here: put it into {path}, or into {VARIABLE}")]
    Missing {
        /// What the key belongs to: a store or a backup.
        of: &'static str,
        /// Where the file of the key would be.
        path: PathBuf,
    },
    /// There is another master key.
    #[error("{place} is not the master key that this {of} was made with")]
    Wrong {
        /// What the key belongs to: a store or a backup.
        of: &'static str,
        /// The place of the other key.
        place: String,
    },
    /// The text is not a master key.
    #[error("{0}: {1}")]
    Malformed(String, MasterKeyError),
    /// The file of the key can't be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The system has no randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl<'a> MasterKeyPlace<'a> {
    /// The variable, if it is set, or else a file in this folder that only `readers` can read.
    pub fn new(keys_dir: &'a Path, readers: Readers, variable: Option<OsString>) -> Self {
        // A variable that is not Unicode is no master key either. It is reported, not ignored.
        let variable = variable.map(|key| Zeroizing::new(key.to_string_lossy().into()));
        Self { keys_dir, readers, variable }
    }

    /// The same, with the environment variable of this process.
    pub fn of_this_process(keys_dir: &'a Path, readers: Readers) -> Self {
        Self::new(keys_dir, readers, variable(VARIABLE))
    }

    /// The master key that `check` belongs to. `of` says what has the check: a store or a backup.
    ///
    /// # Errors
    /// [`MasterKeyFault`] when the key is missing, or is another one.
    pub fn matching(&self, check: &[u8], of: &'static str) -> Result<MasterKey, MasterKeyFault> {
        let key = self.at_hand()?.ok_or_else(|| MasterKeyFault::Missing { of, path: self.path() })?;
        if !key.matches(check) {
            return Err(MasterKeyFault::Wrong { of, place: self.to_string() });
        }
        Ok(key)
    }

    /// The available key, if there is one.
    fn at_hand(&self) -> Result<Option<MasterKey>, MasterKeyFault> {
        let text = match &self.variable {
            Some(text) => Some(text.clone()),
            None => key_file::read_shared_if_there(&self.path(), self.readers)?,
        };
        let parsed = text.map(|text| text.parse()).transpose();
        parsed.map_err(|error| MasterKeyFault::Malformed(self.to_string(), error))
    }

    /// The available key or a new one, and whether it is new.
    pub(super) fn at_hand_or_new(&self, entropy: &Entropy) -> Result<(MasterKey, bool), MasterKeyFault> {
        if let Some(key) = self.at_hand()? {
            return Ok((key, false));
        }
        let key = MasterKey::generate(entropy)?;
        match key_file::create(&self.path(), &key.expose(), entropy) {
            Ok(()) => Ok((key, true)),
            // Another process was faster.
            Err(error) if error.is_already_there() => match self.at_hand()? {
                Some(key) => Ok((key, false)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The file of the key, whether it exists or not.
    pub(super) fn path(&self) -> PathBuf {
        self.keys_dir.join("master.key")
    }
}

/// Names the place for people.
impl fmt::Display for MasterKeyPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variable {
            Some(_) => f.write_str(VARIABLE),
            None => self.path().display().fmt(f),
        }
    }
}

/// Never shows the key itself.
impl fmt::Debug for MasterKeyPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeyPlace({self})")
    }
}
