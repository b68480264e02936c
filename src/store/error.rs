//! What can go wrong with the store, sorted by what the caller can do about it.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use crate::sharing::fair_queue::QueueFull;

/// An operation on the store failed. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be asked, or did not answer in time: try again.
    #[error("the store cannot be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database answered that the statement cannot be carried out.
    #[error("the store refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
    /// Too many requests of the same organization wait for the store. Nobody else's are the reason.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    /// A row does not read as what was once written.
    #[error("a row of the store does not read back: {0}")]
    Corrupt(String),
}

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database that this server knows.
    #[error("the database URL must begin with sqlite:// or postgres://")]
    UnknownScheme,
    /// The URL does not parse.
    #[error("the database URL is not valid: {0}")]
    Url(#[source] sqlx::Error),
    /// A character in the password ends the server's part of the URL.
    #[error(
        "the database URL has an @ behind its server: in a user name or password, write / as %2F, ? as %3F, # as %23 \
         and @ as %40"
    )]
    Unescaped,
    /// The database URL has a parameter that nothing would come of.
    #[error("the database URL's parameter {0} is not supported")]
    Parameter(String),
    /// The database URL asks for servers that could not be used.
    #[error(
        "the database URL's target_session_attrs is read-write or primary, not {0}: claviger needs a primary"
    )]
    SessionAttributes(String),
    /// The database URL lists hosts where sqlx takes one.
    #[error(
        "several hosts are named before the path of the database URL: postgres://host1:5432,host2:5432/name"
    )]
    SeveralHosts,
    /// None of the PostgreSQL servers that the URL names can be used.
    #[error("the database cannot be opened: {0}")]
    Primary(#[source] StoreError),
    /// The database did not answer.
    #[error("the database cannot be opened: {0}")]
    Connect(#[source] sqlx::Error),
    /// Nobody listens where the database should be.
    #[error(
        "the database at {host}:{port} refuses connections: is it running, and is that where it listens?"
    )]
    Refused {
        /// The host, or the folder of the socket.
        host: String,
        /// The port.
        port: u16,
    },
    /// A pooler lends sessions for one transaction at a time.
    #[error(
        "the database URL leads through a pooler that lends a session for one transaction or statement only \
         (PgBouncer's pool_mode = transaction); claviger needs whole sessions: set pool_mode = session for this \
         database, or connect to PostgreSQL itself"
    )]
    TransactionPooling,
    /// A file or folder of an SQLite store cannot be used.
    #[error("{path} cannot be used: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another server process holds the SQLite file.
    #[error(
        "another claviger process is using {0}; an SQLite store has one server at a time (PostgreSQL takes several)"
    )]
    InUse(PathBuf),
    /// The SQLite file has several names.
    #[error(
        "{path} has {names} names (hard links): under another one, SQLite would miss what is in {path}-wal; keep one name"
    )]
    HardLinks {
        /// One of them.
        path: PathBuf,
        /// How many there are.
        names: u64,
    },
    /// The schema is newer than this binary.
    #[error(
        "the store's schema has version {0}, which is newer than this binary knows: start a newer claviger"
    )]
    NewerSchema(i64),
    /// A migration failed, or an applied one was changed.
    #[error("the store's schema cannot be brought up to date: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// SQLite did not take a setting that durability rests on.
    #[error("SQLite runs with {setting} = {found} and needs {wanted}")]
    Unsafe {
        /// The pragma.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
}

impl StoreError {
    /// `what` does not read back.
    pub(super) fn corrupt(what: &str, error: impl Display) -> Self {
        Self::Corrupt(format!("{what}: {error}"))
    }
}

/// The database did not answer in time.
pub(super) fn timed_out() -> sqlx::Error {
    timed_out_because("no answer in time".to_owned())
}

/// What the database was asked for did not come in time.
pub(super) fn timed_out_because(reason: String) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, reason))
}

/// Reads a text back that was written as the `Display` of a `T`.
pub(super) fn read<T: FromStr>(what: &str, text: &str) -> Result<T, StoreError>
where
    T::Err: Display,
{
    text.parse().map_err(|error| StoreError::corrupt(what, error))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(database) if !is_passing(database.code().as_deref()) => Self::Refused(error),
            E::ColumnDecode { .. } | E::ColumnNotFound(_) | E::Decode(_) | E::TypeNotFound { .. } => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// Whether a database's own error is one that passes by itself: a busy, full, unreadable or read-only SQLite
/// file, or a PostgreSQL server that is short of resources, shutting down, or broke a deadlock.
fn is_passing(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    match code.len() {
        // PostgreSQL SQLSTATE classes: connection, transaction rollback, resources, intervention, system.
        5 => ["08", "25", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class)),
        // SQLite primary result codes: busy, locked, read-only, I/O error, full, cannot open.
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)),
    }
}
