//! What can go wrong with a backup.

use std::io;
use std::path::PathBuf;

use crate::base::entropy::EntropyError;
use crate::store::OpenError;

/// A backup could not be made. No file has its name that had not before.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there.
    #[error("{0} is there already: a backup overwrites nothing")]
    Exists(PathBuf),
    /// The file or its folder cannot be used.
    #[error("{path} cannot be written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing to back up.
    #[error("there is no store at CLAVIGER_DATABASE_URL, or nothing in it")]
    Empty,
    /// The store could not be read, or the backup not written.
    #[error("the store could not be copied: {0}")]
    Copy(#[from] sqlx::Error),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// A file is not a backup that can be restored.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct BackupFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: BackupFault,
}

/// What is wrong with a file that should be a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// It cannot be read, or what it holds not be laid out.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The same, in the words of SQLite.
    #[error("{0}")]
    Unreadable(#[source] sqlx::Error),
    /// It is something else.
    #[error("not a backup that claviger made")]
    NoBackup,
    /// A newer binary made it, in another format.
    #[error("its format is {0}, which is newer than this binary knows: use a newer claviger")]
    NewerFormat(i64),
    /// A newer binary made it, of a newer store.
    #[error("its schema has version {0}, which is newer than this binary knows: use a newer claviger")]
    NewerSchema(i64),
    /// It is not what was once written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
}

impl BackupFault {
    /// What a file is that does not even say what it is.
    pub(super) fn at_first_sight(error: sqlx::Error) -> Self {
        match sqlite_code(&error) {
            Some(ERROR | NO_DATABASE) => Self::NoBackup,
            _ => error.into(),
        }
    }
}

impl From<sqlx::Error> for BackupFault {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match (&error, sqlite_code(&error)) {
            (_, Some(ERROR | CORRUPT | NO_DATABASE))
            | (E::ColumnDecode { .. } | E::ColumnNotFound(_) | E::Decode(_) | E::RowNotFound, _) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Unreadable(error),
        }
    }
}

// SQLite's result codes: no such table or column, among others; a malformed file; no database at all.
const ERROR: u32 = 1;
const CORRUPT: u32 = 11;
const NO_DATABASE: u32 = 26;

/// The primary result code, if SQLite gave one.
fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}
