//! Classifies errors of the database, by what they say about the connection and about the database.

use std::io;

use sqlx::Error as E;

use super::database_file::FileGone;

/// What an error says about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is fine: the statement failed, or waited too long for a lock.
    Statement,
    /// The connection must not be used again.
    Connection,
    /// This connection and all older ones must not be used again: the server behind them is gone, is shutting down,
    /// doesn't answer, or has become read-only.
    Server,
}

impl Fault {
    /// Classifies `error`.
    pub(super) fn of(error: &sqlx::Error) -> Self {
        match error {
            E::Io(error) if FileGone::is(error) => Self::Connection,
            E::Io(_) => Self::Server,
            E::Tls(_) | E::Protocol(_) | E::WorkerCrashed | E::BeginFailed | E::InvalidSavePointStatement => {
                Self::Connection
            }
            E::Database(error) => error.code().as_deref().map_or(Self::Connection, of_code),
            _ => Self::Statement,
        }
    }
}

fn of_code(code: &str) -> Fault {
    if let Some(code) = sqlite_code(code) {
        return match code {
            NO_MEMORY | READ_ONLY | IO_ERROR | CORRUPT | FULL | CANNOT_OPEN | NO_DATABASE => {
                Fault::Connection
            }
            _ => Fault::Statement,
        };
    }
    match code {
        // The statement was cancelled.
        "57014" => Fault::Statement,
        // A read-only transaction: the session began on a standby, or while the database was read-only.
        "25006" => Fault::Server,
        // A prepared statement that the session lacks, that another client made in it, or that a migration has
        // outdated ("cached plan must not change result type").
        "26000" | "42P05" | "0A000" => Fault::Connection,
        _ => match code.get(..2) {
            // Connection exceptions and operator intervention.
            Some("08" | "57") => Fault::Server,
            // Transaction states (including an idle transaction that was ended), system errors, internal errors.
            Some("25" | "58" | "XX") => Fault::Connection,
            _ => Fault::Statement,
        },
    }
}

/// Why the database accepts no writes. The text completes "the store takes no writes: ". It reveals nothing that an
/// anonymous caller should not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteFault {
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database is read-only.
    #[error("the database is read-only")]
    ReadOnly,
    /// The file was deleted, moved or replaced.
    #[error("the database's file was deleted, moved or replaced")]
    FileGone,
    /// The disk reports errors.
    #[error("the disk reports errors")]
    Disk,
    /// The database doesn't answer.
    #[error("the database cannot be reached")]
    Unreachable,
}

impl WriteFault {
    /// The reason why no write can succeed. `None` if `error` concerns only this statement, or a wait for other
    /// statements.
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            E::Io(error) if FileGone::is(error) => Some(Self::FileGone),
            // The server is a standby.
            E::Io(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Some(Self::ReadOnly),
            E::Io(_) | E::Tls(_) | E::WorkerCrashed => Some(Self::Unreachable),
            E::Database(error) => {
                let code = error.code()?;
                match sqlite_code(&code) {
                    Some(FULL) => Some(Self::Full),
                    Some(READ_ONLY) => Some(Self::ReadOnly),
                    Some(IO_ERROR | CORRUPT | CANNOT_OPEN | NO_DATABASE) => Some(Self::Disk),
                    Some(_) => None,
                    None => Self::of_state(&code),
                }
            }
            _ => None,
        }
    }

    fn of_state(code: &str) -> Option<Self> {
        match code {
            "53100" => Some(Self::Full),
            "25006" => Some(Self::ReadOnly),
            "57014" => None,
            _ => match code.get(..2) {
                Some("08" | "57" | "53") => Some(Self::Unreachable),
                Some("58" | "XX") => Some(Self::Disk),
                _ => None,
            },
        }
    }
}

// The primary result codes of SQLite.
const NO_MEMORY: u32 = 7;
const READ_ONLY: u32 = 8;
const IO_ERROR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NO_DATABASE: u32 = 26;

/// The primary result code, if this is a code of SQLite. An SQLSTATE has five characters, and SQLite's extended codes
/// have at most four digits.
fn sqlite_code(code: &str) -> Option<u32> {
    (code.len() < 5).then(|| code.parse::<u32>().ok()).flatten().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_whether_the_connection_can_be_used_again() {
        for (code, fault) in [
            ("23505", Fault::Statement),
            ("55P03", Fault::Statement),
            ("40001", Fault::Statement),
            ("57014", Fault::Statement),
            ("53100", Fault::Statement),
            ("25P03", Fault::Connection),
            ("26000", Fault::Connection),
            ("0A000", Fault::Connection),
            ("XX001", Fault::Connection),
            ("25006", Fault::Server),
            ("57P01", Fault::Server),
            ("57P03", Fault::Server),
            ("08006", Fault::Server),
            ("5", Fault::Statement),
            ("2067", Fault::Statement),
            ("13", Fault::Connection),
            ("778", Fault::Connection),
            ("1032", Fault::Connection),
        ] {
            assert_eq!(of_code(code), fault, "{code}");
        }
    }

    #[test]
    fn a_sqlstate_tells_whether_writes_fail() {
        for (code, fault) in [
            ("25006", Some(WriteFault::ReadOnly)),
            ("53100", Some(WriteFault::Full)),
            ("57P01", Some(WriteFault::Unreachable)),
            ("57014", None),
            ("55P03", None),
            ("23505", None),
            ("40P01", None),
        ] {
            assert_eq!(WriteFault::of_state(code), fault, "{code}");
        }
    }
}
