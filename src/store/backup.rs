//! Backups: a file with the contents of a whole store as of one moment. A backup of either database can be restored
//! to either.
//!
//! The file is an SQLite database with the store's own schema. One more table, `backup`, describes it. The master key
//! is not in it.

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

/// Begins a transaction that takes no lock until it needs one.
const READ: &str = "BEGIN";
