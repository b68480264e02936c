//! The errors of backups.

use std::io;
use std::path::PathBuf;

use crate::base::entropy::EntropyError;
use crate::store::OpenError;

/// Why no backup was made. No file was created or replaced.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file already exists.
    #[error("{0} already exists: a backup overwrites nothing")]
    Exists(PathBuf),
    /// The file or its folder can't be used.
    #[error("{path} cannot be written: {source}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store is missing or empty.
    #[error("the store at CLAVIGER_DATABASE_URL is missing or empty")]
    Empty,
    /// The store couldn't be read, or the backup couldn't be written.
    #[error("the store could not be copied: {0}")]
    Copy(#[from] sqlx::Error),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The file can't be restored as a backup.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct BackupFileError {
    /// The path of the file.
    pub path: PathBuf,
    /// The reason.
    pub fault: BackupFault,
}

/// Why a file can't be restored as a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// The file can't be read, or its contents can't be unpacked.
    #[error("{0}")]
    File(#[from] io::Error),
    /// SQLite can't read the file.
    #[error("{0}")]
    Unreadable(#[source] sqlx::Error),
    /// The file is not a backup.
    #[error("not a backup that claviger made")]
    NoBackup,
    /// A newer binary made the backup, in a newer format.
    #[error("its format is {0}, which is newer than this binary knows: use a newer claviger")]
    NewerFormat(i64),
    /// A newer binary made the backup, of a store with a newer schema.
    #[error("its schema has version {0}, which is newer than this binary knows: use a newer claviger")]
    NewerSchema(i64),
    /// The contents differ from what was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
}

impl BackupFault {
    /// Classifies the first error with a file of unknown kind.
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

// The result codes of SQLite for a missing table or column (among others), a malformed file, and a file that is not a
// database.
const ERROR: u32 = 1;
const CORRUPT: u32 = 11;
const NO_DATABASE: u32 = 26;

/// The primary result code of SQLite, if the error has one.
fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}
