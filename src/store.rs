//! Where everything lasting is kept. SQL lives here and nowhere else; one set of statements serves SQLite
//! and PostgreSQL.
//!
//! Reads return domain types. Every mutation is one [`Write`], a transaction that also holds its audit events
//! and its change numbers.

mod admission;
mod audit;
mod backup;
mod bootstrap;
mod change_reader;
mod changes;
mod console_sessions;
mod database_file;
mod database_url;
pub(crate) mod db;
mod error;
mod fault;
mod idempotency;
mod keys;
mod open;
mod organizations;
mod page;
mod pool;
mod pooler;
mod primary;
mod projects;
mod restore;
mod revoked_tokens;
mod shared_settings;
mod signing_keys;
mod text_order;
mod transaction;
mod usage;
mod withdrawals;
mod write;
mod write_health;

use std::time::Duration;

pub use admission::{Reading, Snapshot};
pub use audit::{EventPage, EventPosition, EventQuery};
pub use backup::{Backup, BackupError, BackupFacts, BackupFault, BackupFileError, back_up};
pub use bootstrap::{Bootstrap, FilledStore, StoredDeployment};
pub use change_reader::{ChangeReader, HistoryStatus};
pub use changes::{Change, Position};
pub use console_sessions::ConsoleSession;
pub use error::{OpenError, StoreError};
pub use fault::WriteFault;
pub use idempotency::IdempotencyRecord;
pub use keys::{
    AdminKey, KeyFilter, KeyOrder, KeyPage, KeyPosition, KeyQuery, KeySort, NewKey, StatusFilter, StoredKey,
    VisibleKeys,
};
pub use page::{Page, Visible};
pub use restore::{
    NamedKey, Replaced, Restore, RestoreError, RestoreOptions, RestoreReport, TakenAway, TakenKind,
};
pub use revoked_tokens::{RevokeTokenError, RevokedToken};
pub use shared_settings::SharedSettings;
pub use signing_keys::{SealedSigningKey, Succession};
pub use usage::{KeyLabel, KeyTotal, TokenReach, UseBuckets, UseRecord};
pub use withdrawals::Withdrawal;
pub use write::{ChangeKind, Write};
pub use write_health::{WriteHealth, WritesFailing};

use sqlx::sqlite::SqliteConnectOptions;

use self::admission::Admission;
use self::db::{Db, Either, either, on};
use self::pool::Engine as _;
use self::primary::Primary;
use crate::base::clock::Timestamp;

/// Longest wait for connections that are still in use.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// An open store. Its clones are the same one, and closing one closes all.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    admission: Admission,
    /// Where a [`ChangeReader`] connects to.
    changes: Either<SqliteConnectOptions, Primary>,
}

impl Store {
    /// Carries out a `statement` that deletes what is from before the moment `$1`; returns how much that was.
    async fn delete_older(&self, statement: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            let done = sqlx::query::<DB>(statement).bind(before.unix()).execute(pool).await;
            done.map(|done| done.rows_affected())
        })?)
    }

    /// Whether what is written reaches the disk.
    pub fn writes(&self) -> &WriteHealth {
        either!(&self.db, |pool, DB| pool.writes())
    }

    /// Finds out whether the store's files are still those that were opened, and whether writes that failed do well
    /// again. While they do, nothing is written.
    pub async fn check_writes(&self, at: Timestamp) {
        if let Err(error) = either!(&self.db, |pool, DB| DB::check_source(pool.source())) {
            self.writes().failed(&error);
        } else if self.writes().failing().is_some() {
            // What comes of it is noted where it ends.
            let _ = self.try_to_write(at).await;
        }
    }

    /// Uses no connection any more that is open by now: what is behind them has changed.
    pub fn renew_connections(&self) {
        self.admission.renew_connections();
        either!(&self.db, |pool, DB| pool.expire_all());
    }

    /// Closes the connections once they are idle; those whose other end is silent are left to the end of the
    /// process. An SQLite store is left without a write-ahead log.
    pub async fn close(&self) {
        let closed = async {
            self.admission.close().await;
            either!(&self.db, |pool, DB| {
                pool.close().await;
                DB::release(pool.source());
            });
        };
        let _ = tokio::time::timeout(CLOSED_WITHIN, closed).await;
    }
}
