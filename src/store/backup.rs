//! Backups: one file that holds a whole store as it was at one moment, of either database for either.
//!
//! The file is an SQLite database with the store's own schema, and one table besides, `backup`, that says what
//! it is. The master key is not in it.

mod copy;
mod digest;
mod draft;
mod error;
mod facts;
mod file;
mod make;
mod seal;
mod source;
mod tables;

pub use error::{BackupError, BackupFault, BackupFileError};
pub use facts::BackupFacts;
pub use file::Backup;
pub use make::back_up;

pub(super) use copy::copy;
pub(super) use facts::active_keys;
pub(super) use file::{migrated, scratch};
pub(super) use source::{Identity, Source, identity, schema};
pub(super) use tables::Table;

/// Begins a transaction that takes no lock before it needs one.
const READ: &str = "BEGIN";
