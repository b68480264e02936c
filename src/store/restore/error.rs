//! The reasons why a restore fails.

use crate::store::{OpenError, StoreError};

/// Why a restore failed. The store is unchanged, except as [`RestoreError::Commit`] says.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store has contents, and `replace` is off.
    #[error("the store is not empty: --replace replaces its contents with the backup")]
    NotEmpty,
    /// The store has another master key than the backup.
    #[error("the store has another master key than the backup, and is not replaced: is it the right one?")]
    OtherDeployment,
    /// The store and the backup have had different master keys under one number.
    #[error(
        "the store and the backup have had different master keys since they parted, and the store is not replaced: \
         restore into an empty store"
    )]
    OtherMasterKeys,
    /// A dry run needs the current schema, because it changes nothing, not even the schema.
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
    /// The answer to the commit was lost. The backup may or may not be restored.
    #[error("it is not known whether the backup was restored: {0}")]
    Commit(#[source] sqlx::Error),
}
