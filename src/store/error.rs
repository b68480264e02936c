//! The errors of the store, by what the caller can do about them.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use crate::sharing::fair_queue::QueueFull;

/// An operation on the store failed and has had no effect.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or didn't answer in time. The caller may try again.
    #[error("the store cannot be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database rejected the statement.
    #[error("the store refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
    /// Too many requests of the same organization are waiting for the store. Other organizations play no part in
    /// this.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    /// Another master key than the active one sealed what was to be stored. The node has not heard of the active one
    /// yet.
    #[error("the master key was replaced a moment ago")]
    MasterKeyReplaced,
    /// A row can't be read back.
    #[error("a row of the store can't be read back: {0}")]
    Corrupt(String),
}

/// Why the store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL's scheme is not that of a supported database.
    #[error("the database URL must begin with sqlite:// or postgres://")]
    UnknownScheme,
    /// The URL can't be parsed.
    #[error("the database URL is not valid: {0}")]
    Url(#[source] sqlx::Error),
    /// An unescaped character in the password ends the server's part of the URL.
    #[error(
        "the database URL has an @ after its server: in a user name or password, write / as %2F, ? as %3F, # as %23 \
         and @ as %40"
    )]
    Unescaped,
    /// The URL has a parameter that would have no effect.
    #[error("the database URL's parameter {0} is not supported")]
    Parameter(String),
    /// The URL asks for servers that can't be used.
    #[error(
        "the database URL's target_session_attrs is read-write or primary, not {0}: claviger needs a primary"
    )]
    SessionAttributes(String),
    /// The URL lists hosts where sqlx accepts only one.
    #[error(
        "several hosts are named before the path of the database URL: postgres://host1:5432,host2:5432/name"
    )]
    SeveralHosts,
    /// None of the PostgreSQL servers in the URL can be used.
    #[error("the database cannot be opened: {0}")]
    Primary(#[source] StoreError),
    /// The database didn't answer.
    #[error("the database cannot be opened: {0}")]
    Connect(#[source] sqlx::Error),
    /// Nothing listens at the database's address.
    #[error(
        "the database at {host}:{port} refuses connections: is it running, and is that where it listens?"
    )]
    Refused {
        /// The host, or the folder of the socket.
        host: String,
        /// The port of the address.
        port: u16,
    },
    /// A pooler lends each session for one transaction only.
    #[error(
        "the database URL leads through a pooler that lends a session for one transaction or statement only \
         (PgBouncer's pool_mode = transaction); claviger needs whole sessions: set pool_mode = session for this \
         database, or connect to PostgreSQL itself"
    )]
    TransactionPooling,
    /// A file or folder of an SQLite store can't be used.
    #[error("{path} cannot be used: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Another server process uses the SQLite file.
    #[error(
        "another claviger process is using {0}; an SQLite store has one server at a time (PostgreSQL takes several)"
    )]
    InUse(PathBuf),
    /// The SQLite file has several names.
    #[error(
        "{path} has {names} names (hard links): under another one, SQLite would miss what is in {path}-wal; keep one name"
    )]
    HardLinks {
        /// One of the names.
        path: PathBuf,
        /// The number of names.
        names: u64,
    },
    /// The schema is newer than this binary.
    #[error(
        "the store's schema has version {0}, which is newer than this binary knows: start a newer claviger"
    )]
    NewerSchema(i64),
    /// A migration failed, or one that was applied has changed since.
    #[error("the store's schema cannot be brought up to date: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// SQLite didn't accept a setting that durability depends on.
    #[error("SQLite runs with {setting} = {found} and needs {wanted}")]
    Unsafe {
        /// The pragma.
        setting: &'static str,
        /// The actual value.
        found: String,
        /// The required value.
        wanted: &'static str,
    },
}

impl StoreError {
    /// The error for a `what` that can't be read back.
    pub(super) fn corrupt(what: &str, error: impl Display) -> Self {
        Self::Corrupt(format!("{what}: {error}"))
    }
}

pub(super) fn timed_out() -> sqlx::Error {
    timed_out_because("no answer in time".to_owned())
}

/// A time-out with this reason.
pub(super) fn timed_out_because(reason: String) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, reason))
}

/// Parses a text that was written by `Display` of a `T`.
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

/// Whether an error of the database itself is temporary: a busy, full, unreadable or read-only SQLite file, or a
/// PostgreSQL server that is short of resources, is shutting down, or broke a deadlock.
fn is_passing(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    match code.len() {
        // PostgreSQL SQLSTATE classes: connection, transaction rollback, resources, intervention, system.
        5 => ["08", "25", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class)),
        // SQLite primary result codes: busy, locked, read-only, I/O error, full, cannot open.
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)),
    }
}
