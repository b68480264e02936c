//! A file under another name until it is whole.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::BackupError;
use super::seal::seal;
use crate::base::entropy::Entropy;
use crate::base::key_file;

/// An empty file beside the one that it becomes. Dropped before, it is taken away.
#[derive(Debug)]
pub(super) struct Draft {
    /// Where it is.
    pub(super) path: PathBuf,
    becomes: PathBuf,
}

impl Draft {
    /// A draft of `becomes`, which must not be there; only its owner can read it.
    pub(super) fn of(becomes: &Path, entropy: &Entropy) -> Result<Self, BackupError> {
        if becomes.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(becomes.to_owned()));
        }
        let random = u64::from_be_bytes(entropy.bytes()?);
        let path = becomes.with_added_extension(format!("{random:016x}"));
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        // SQLite takes a relative path that begins with "file:" for something else.
        let path = created.and_then(|_| path.canonicalize()).map_err(|source| failed(becomes, source))?;
        Ok(Self { path, becomes: becomes.to_owned() })
    }

    /// Seals it and gives it its name, on disk when this returns, unless something has that name by now.
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
