//! A file that has a temporary name until it is complete.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::BackupError;
use super::seal::seal;
use crate::base::entropy::Entropy;
use crate::base::key_file;

/// An empty file beside the final one. Dropping it before publication deletes it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) path: PathBuf,
    becomes: PathBuf,
}

impl Draft {
    /// A draft for the file `becomes`, which must not exist. Only the owner can read the draft.
    pub(super) fn of(becomes: &Path, entropy: &Entropy) -> Result<Self, BackupError> {
        if becomes.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(becomes.to_owned()));
        }
        let random = u64::from_be_bytes(entropy.bytes()?);
        let path = becomes.with_added_extension(format!("{random:016x}"));
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        // SQLite interprets a relative path that begins with "file:" as a URI.
        let path = created.and_then(|_| path.canonicalize()).map_err(|source| failed(becomes, source))?;
        Ok(Self { path, becomes: becomes.to_owned() })
    }

    /// Seals the file and renames it, unless the final name exists by now. The result is on disk when this returns.
    pub(super) fn publish(self) -> Result<(), BackupError> {
        let sealed = seal(&self.path).and_then(|()| File::open(&self.path)?.sync_all());
        sealed.and_then(|()| key_file::publish(&self.path, &self.becomes)).map_err(|source| {
            match source.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Exists(self.becomes.clone()),
                _ => failed(&self.becomes, source),
            }
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(path: &Path, source: io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), source }
}
