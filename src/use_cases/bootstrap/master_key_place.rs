//! Where the master key is: in the environment, or else in its file.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};
use crate::base::key_file::{self, KeyFileError, Readers};
use crate::base::master_key::{MasterKey, MasterKeyError};
use crate::base::variables::variable;

const VARIABLE: &str = "CLAVIGER_MASTER_KEY";

/// Where the master key is looked for.
pub struct MasterKeyPlace<'a> {
    keys_dir: &'a Path,
    readers: Readers,
    variable: Option<Zeroizing<String>>,
}

/// The master key of a store or a backup is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyFault {
    /// There is none.
    #[error("the {of} was made with a master key that is not here: put it into {path}, or into {VARIABLE}")]
    Missing {
        /// Whose.
        of: &'static str,
        /// Where its file would be.
        path: PathBuf,
    },
    /// There is another.
    #[error("{place} is not the master key that this {of} was made with")]
    Wrong {
        /// Whose.
        of: &'static str,
        /// Where the other one is.
        place: String,
    },
    /// What should be a master key is none.
    #[error("{0}: {1}")]
    Malformed(String, MasterKeyError),
    /// Its file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The system has no randomness for a new one.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl<'a> MasterKeyPlace<'a> {
    /// The environment's variable, if it is set, else a file in this folder that nobody but these readers can read.
    pub fn new(keys_dir: &'a Path, readers: Readers, variable: Option<OsString>) -> Self {
        // What is not text is not a master key either: it has to be refused, not overlooked.
        let variable = variable.map(|key| Zeroizing::new(key.to_string_lossy().into()));
        Self { keys_dir, readers, variable }
    }

    /// The same for this process.
    pub fn of_this_process(keys_dir: &'a Path, readers: Readers) -> Self {
        Self::new(keys_dir, readers, variable(VARIABLE))
    }

    /// The one that this `check` is of, which a store or a backup (`of`) has.
    ///
    /// # Errors
    /// [`MasterKeyFault`] when it is not here, or another one is.
    pub fn matching(&self, check: &[u8], of: &'static str) -> Result<MasterKey, MasterKeyFault> {
        let key = self.at_hand()?.ok_or_else(|| MasterKeyFault::Missing { of, path: self.path() })?;
        if !key.matches(check) {
            return Err(MasterKeyFault::Wrong { of, place: self.to_string() });
        }
        Ok(key)
    }

    /// The one that is here, if there is one.
    fn at_hand(&self) -> Result<Option<MasterKey>, MasterKeyFault> {
        let text = match &self.variable {
            Some(text) => Some(text.clone()),
            None => key_file::read_shared_if_there(&self.path(), self.readers)?,
        };
        let parsed = text.map(|text| text.parse()).transpose();
        parsed.map_err(|error| MasterKeyFault::Malformed(self.to_string(), error))
    }

    /// The one that is here, or a new one, and whether it is new.
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

    /// Where its file is, or would be.
    pub(super) fn path(&self) -> PathBuf {
        self.keys_dir.join("master.key")
    }
}

/// For people.
impl fmt::Display for MasterKeyPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variable {
            Some(_) => f.write_str(VARIABLE),
            None => self.path().display().fmt(f),
        }
    }
}

/// Never the key itself.
impl fmt::Debug for MasterKeyPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeyPlace({self})")
    }
}
