//! The files of an SQLite store: who may read them, who has them, and whether they are still the same.

use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::error::OpenError;
use crate::base::lock::Mutex;

/// Only their owner reads and writes a store's files.
const PRIVATE: u32 = 0o600;

/// What SQLite keeps beside a database, under the database's name.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A store's file, which this process alone may use as a server until it is released.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    /// Where it is, whatever links lead there.
    path: PathBuf,
    identity: Identity,
    /// The files beside it, once they are there.
    beside: OnceLock<Vec<(PathBuf, Identity)>>,
    locks: Mutex<Vec<File>>,
}

/// What tells a file from another of the same name.
type Identity = (u64, u64);

/// A file was deleted, moved or replaced under the server.
#[derive(Debug, thiserror::Error)]
#[error("{0} was deleted, moved or replaced under the server: put it back, or restart")]
pub(crate) struct FileGone(PathBuf);

impl DatabaseFile {
    /// Takes the file at `path` for this process, and makes an empty one where there is none: SQLite takes that for a
    /// new store. SQLite must be done with it before this value is dropped.
    ///
    /// # Errors
    /// [`OpenError`].
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File { path: path.to_owned(), source };
        if !path.exists() {
            create(path).map_err(failed)?;
        }
        let path = path.canonicalize().map_err(failed)?;
        let found = path.metadata().map_err(failed)?;
        if found.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        // SQLite finds the write-ahead log by the file's name: under another one it would miss what is in it.
        if found.nlink() > 1 {
            return Err(OpenError::HardLinks { path, names: found.nlink() });
        }
        let mut locks = vec![lock_beside(&path)?];
        locks.extend(lock_itself(&path)?);
        for file in std::iter::once(path.clone()).chain(BESIDE.map(|end| with_end(&path, end))) {
            make_private(&file)?;
        }
        Ok(Self { identity: identity(&found), path, beside: OnceLock::new(), locks: Mutex::new(locks) })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on, the files that SQLite has put beside it must stay, too.
    pub(crate) fn hold_what_is_beside(&self) {
        let files = BESIDE.map(|end| with_end(&self.path, end)).into_iter();
        let known = files.filter_map(|file| file.metadata().ok().map(|found| (file, identity(&found))));
        let _ = self.beside.set(known.collect());
    }

    /// Lets other processes have it. SQLite must be done with it.
    pub(crate) fn release(&self) {
        self.locks.lock().clear();
    }

    /// Whether its names still lead to the files that are open.
    ///
    /// # Errors
    /// A [`FileGone`], as the source of an I/O error.
    pub(crate) fn check(&self) -> io::Result<()> {
        let is_there = |path: &Path, known: Identity| {
            // What cannot be looked at for another reason is no sign that it has gone.
            match path.metadata() {
                Ok(found) if identity(&found) == known => Ok(()),
                Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(()),
                _ => Err(io::Error::other(FileGone(path.to_owned()))),
            }
        };
        is_there(&self.path, self.identity)?;
        self.beside.get().into_iter().flatten().try_for_each(|(path, known)| is_there(path, *known))
    }
}

impl FileGone {
    /// Whether that is what `error` says.
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|source| source.is::<Self>())
    }
}

fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path).map(drop)
}

/// Takes the lock that keeps a second server off the file. It lies beside the database, under the path that all
/// symbolic links lead to.
fn lock_beside(database: &Path) -> Result<File, OpenError> {
    let path = with_end(database, ".lock");
    let opened = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(&path);
    let file = opened.map_err(|source| OpenError::File { path: path.clone(), source })?;
    try_lock(&file, &path, database)?;
    make_private(&path)?;
    Ok(file)
}

/// Locks the database itself, too: a file that was mounted to another place has no other name in common. SQLite's
/// own locks, which Linux keeps apart from this one, would be lost if this handle were closed before SQLite's.
#[cfg(target_os = "linux")]
fn lock_itself(database: &Path) -> Result<Option<File>, OpenError> {
    let failed = |source| OpenError::File { path: database.to_owned(), source };
    let file = File::open(database).map_err(failed)?;
    try_lock(&file, database, database)?;
    Ok(Some(file))
}

/// Elsewhere the two kinds of locks are one.
#[cfg(not(target_os = "linux"))]
fn lock_itself(_: &Path) -> Result<Option<File>, OpenError> {
    Ok(None)
}

fn try_lock(file: &File, path: &Path, database: &Path) -> Result<(), OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::File { path: path.to_owned(), source }),
    }
}

/// Takes all rights from everybody but the owner.
fn make_private(path: &Path) -> Result<(), OpenError> {
    let mode = match path.metadata() {
        Ok(found) => found.permissions().mode(),
        Err(_) => return Ok(()),
    };
    if mode & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
        .map_err(|source| OpenError::File { path: path.to_owned(), source })
}
