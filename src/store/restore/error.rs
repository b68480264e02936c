//! Why a backup could not be restored.

use crate::store::{OpenError, StoreError};

/// A backup could not be restored. The store holds what it did, except as [`RestoreError::Commit`] says.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is something in it.
    #[error("the store is not empty: --replace puts the backup in the place of what it holds")]
    NotEmpty,
    /// It has another master key.
    #[error(
        "the store was made with another master key than the backup, and is not replaced: is it the right one?"
    )]
    OtherDeployment,
    /// A rehearsal changes nothing, not even the schema.
    #[error(
        "the store's schema has version {0}, which is older than this binary's: a dry run can't compare it. \
         Start this binary on it once, or use that of the store"
    )]
    OlderSchema(i64),
    /// A statement failed.
    #[error("nothing was restored: {0}")]
    Failed(#[from] sqlx::Error),
    /// The store failed.
    #[error("nothing was restored: {0}")]
    Store(#[from] StoreError),
    /// The answer to the commit is not known.
    #[error("whether the backup was restored is not known: {0}")]
    Commit(#[source] sqlx::Error),
}
