//! Persistent state. All SQL lives here. One set of statements serves SQLite and PostgreSQL.
//!
//! Reads return domain types. Every mutation is one [`Write`], a transaction that includes its audit events and its
//! change numbers.

mod admission;
mod audit;
mod backup;
mod bootstrap;
mod calls;
mod change_kind;
mod change_reader;
mod changes;
mod console_sessions;
mod database_file;
mod database_url;
pub(crate) mod db;
mod error;
mod fault;
mod idempotency;
mod inspect;
mod keys;
mod master_keys;
mod members;
mod named_scopes;
mod nodes;
mod open;
mod organizations;
mod page;
mod pool;
mod pooler;
mod portal_sessions;
mod primary;
mod projects;
mod restore;
mod revoked_tokens;
mod shared_settings;
mod signing_keys;
mod text_order;
mod transaction;
mod trusted_issuers;
mod usage;
mod used_assertions;
mod withdrawals;
mod write;
mod write_health;

use std::time::Duration;

pub use admission::{Reading, Snapshot};
pub use audit::{EventPage, EventPosition, EventQuery};
pub use backup::{Backup, BackupError, BackupFacts, BackupFault, BackupFileError, back_up};
pub use bootstrap::{Bootstrap, FilledStore, StoredDeployment};
pub use calls::{Calls, StoreCalls};
pub use change_kind::ChangeKind;
pub use change_reader::{ChangeReader, HistoryStatus};
pub use changes::{Change, Position};
pub use console_sessions::{ConsoleSession, SessionHolder};
pub use error::{OpenError, StoreError};
pub use fault::WriteFault;
pub use idempotency::IdempotencyRecord;
pub use inspect::{Contents, Inspection, KNOWN_SCHEMA, Place, files_of, inspect, lock_holder, was_served};
pub use keys::{
    AdminKey, BoundedCount, CountLimits, CredentialRow, KeyCounts, KeyFilter, KeyOrder, KeyOrderError,
    KeyPage, KeyPosition, KeyQuery, KeySort, NewKey, StatusFilter, StoredKey, VisibleKeys,
};
pub use master_keys::{SECRETS_COUNTED, StoredMasterKey, Takeover};
pub use members::{KeyOfMember, PastMembership, Places};
pub use named_scopes::NamedScopeList;
pub use nodes::NodeReport;
pub use page::{Page, Visible};
pub use pool::PoolLoad;
pub use portal_sessions::PortalSession;
pub use restore::{
    NamedKey, Replaced, ReplacedMasterKey, Restore, RestoreError, RestoreOptions, RestoreReport, TakenAway,
    TakenKind,
};
pub use revoked_tokens::{RevokeTokenError, RevokedToken};
pub use shared_settings::SharedSettings;
pub use signing_keys::{SealedSigningKey, Succession};
pub use usage::{KeyLabel, KeyTotal, TokenReach, UseBuckets, UseRecord};
pub use withdrawals::Withdrawal;
pub use write::Write;
pub use write_health::{WriteHealth, WritesFailing};

use sqlx::sqlite::SqliteConnectOptions;

use self::admission::Admission;
use self::db::{Db, Either, either, on};
use self::pool::Engine as _;
use self::primary::Primary;
use crate::base::clock::Timestamp;
use crate::sharing::fair_queue::QueueLoad;

/// The longest wait for connections that are still in use.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// An open store. Clones share it, and closing one closes all.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    admission: Admission,
    /// The server or file to which a [`ChangeReader`] connects.
    changes: Either<SqliteConnectOptions, Primary>,
}

impl Store {
    /// Runs a `statement` that deletes rows from before the time `$1`. Returns how many it deleted.
    async fn delete_older(&self, statement: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            let done = sqlx::query::<DB>(statement).bind(before.unix()).execute(pool).await;
            done.map(|done| done.rows_affected())
        })?)
    }

    /// Whether writes reach the disk.
    pub fn writes(&self) -> &WriteHealth {
        either!(&self.db, |pool, DB| pool.writes())
    }

    /// The calls to the database.
    pub fn calls(&self) -> &StoreCalls {
        either!(&self.db, |pool, DB| pool.calls())
    }

    /// Each pool of connections by its name, and how busy it is.
    pub fn pools(&self) -> Vec<(&'static str, PoolLoad)> {
        let main = either!(&self.db, |pool, DB| pool.load());
        let background = self.admission.own_pool().map(|load| ("background", load));
        [("main", main)].into_iter().chain(background).collect()
    }

    /// Each queue in front of the connections by its name, and how busy it is.
    pub fn queues(&self) -> [(&'static str, QueueLoad); 3] {
        self.admission.queues()
    }

    /// Checks that the store's files are still those that were opened, and whether failed writes succeed again. It
    /// tries a write only if the last one failed.
    pub async fn check_writes(&self, at: Timestamp) {
        if let Err(error) = either!(&self.db, |pool, DB| DB::check_source(pool.source())) {
            self.writes().failed(&error);
        } else if self.writes().failing().is_some() {
            // The write itself notes its outcome.
            let _ = self.try_to_write(at).await;
        }
    }

    /// Stops using the connections that are open now, because the server behind them has changed.
    pub fn renew_connections(&self) {
        self.admission.renew_connections();
        either!(&self.db, |pool, DB| pool.expire_all());
    }

    /// Closes the connections once they are idle. It waits only briefly for a silent server. An SQLite store is left
    /// without a write-ahead log.
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
