//! The files of an SQLite store: their permissions, the lock that keeps other servers out, and their identity.

use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::error::OpenError;
use crate::base::lock::Mutex;

/// Only the owner can read and write a store's files.
const PRIVATE: u32 = 0o600;

/// The suffixes of the files that SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A store's file, locked so that no other process can serve it until it is released.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    /// The path, with all symbolic links resolved.
    path: PathBuf,
    identity: Identity,
    /// The files beside it, once they exist.
    beside: OnceLock<Vec<(PathBuf, Identity)>>,
    locks: Mutex<Vec<File>>,
}

/// The device and inode of a file, which distinguish it from another file of the same name.
type Identity = (u64, u64);

/// The file was deleted, moved or replaced while the server was running.
#[derive(Debug, thiserror::Error)]
#[error("{0} was deleted, moved or replaced while the server was running: put it back, or restart")]
pub(crate) struct FileGone(PathBuf);

impl DatabaseFile {
    /// Locks the file at `path` for this process. Creates a missing file empty, which SQLite treats as a new store.
    /// SQLite must close the file before this value is dropped.
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
        // SQLite finds the write-ahead log by the file's name. Under another name, it would miss what the log holds.
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

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the files that SQLite has created beside it to those that [`DatabaseFile::check`] checks.
    pub(crate) fn hold_what_is_beside(&self) {
        let files = BESIDE.map(|end| with_end(&self.path, end)).into_iter();
        let known = files.filter_map(|file| file.metadata().ok().map(|found| (file, identity(&found))));
        let _ = self.beside.set(known.collect());
    }

    /// Releases the lock. SQLite must have closed the file.
    pub(crate) fn release(&self) {
        self.locks.lock().clear();
    }

    /// Checks that the paths still lead to the open files.
    ///
    /// # Errors
    /// A [`FileGone`], as the source of an I/O error.
    pub(crate) fn check(&self) -> io::Result<()> {
        let is_there = |path: &Path, known: Identity| {
            // Another error of the lookup doesn't show that the file is gone.
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
    /// Whether `error` has a [`FileGone`] as its source.
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|source| source.is::<Self>())
    }
}

fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino())
}

pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path).map(drop)
}

/// Takes the lock that keeps a second server away from the file. The lock file is beside the database, at the path
/// with all symbolic links resolved.
fn lock_beside(database: &Path) -> Result<File, OpenError> {
    let path = with_end(database, ".lock");
    let opened = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(&path);
    let file = opened.map_err(|source| OpenError::File { path: path.clone(), source })?;
    try_lock(&file, &path, database)?;
    make_private(&path)?;
    Ok(file)
}

/// Locks the database itself too, because a file that is mounted at two places shares no other path. Linux keeps this
/// lock apart from SQLite's own ones, but they would be lost if this handle closed before SQLite's.
#[cfg(target_os = "linux")]
fn lock_itself(database: &Path) -> Result<Option<File>, OpenError> {
    let failed = |source| OpenError::File { path: database.to_owned(), source };
    let file = File::open(database).map_err(failed)?;
    try_lock(&file, database, database)?;
    Ok(Some(file))
}

/// On other systems, this lock and SQLite's would conflict.
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

/// Removes all permissions except the owner's.
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
