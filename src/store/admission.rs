//! What may use the connections at once, so that the look-ups of keys always find one.
//!
//! Writers take turns anyway, by the row that change numbers come from; here they do so before they hold a connection.
//! Reads for the management API have a part of the connections. Both are divided fairly among organizations, see
//! [`crate::sharing::fair_queue`].
//!
//! SQLite does its work in this process: there, the connections of these are others than those of the look-ups, and give
//! way to them.

use std::io;
use std::time::Duration;

use super::StoreError;
use super::db::{Either, Tx, begin_snapshot, either};
use super::{Db, Store};
use crate::base::clock::Timestamp;
use crate::domain::principal::Principal;
use crate::sharing::fair_queue::{FairQueue, Permit, Quota};

/// One for each permit.
const SQLITE_CONNECTIONS: u32 = 5;

/// The longest wait for a permit.
const PERMIT_WITHIN: Duration = Duration::from_secs(5);

/// The queues in front of the connections.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    db: Db,
    writes: FairQueue,
    reads: FairQueue,
    snapshots: FairQueue,
}

/// Reads on somebody's behalf, until it is dropped.
#[derive(Debug)]
pub struct Reading {
    pub(super) db: Db,
    _permit: Permit,
}

/// Reads on somebody's behalf that all see one moment, until it is dropped. Writers do not wait for it.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) tx: Tx,
    pub(super) at: Timestamp,
    _permit: Permit,
}

impl Admission {
    /// The queues for this database, of whose connections they leave some to the look-ups of keys.
    pub(super) fn of(db: &Db) -> Self {
        match db {
            Either::Sqlite(pool) => {
                Self::with(Either::Sqlite(pool.in_background(SQLITE_CONNECTIONS)), 1, 3, 1)
            }
            // Of 16. While one writer commits, the next is under way to the row that change numbers come from.
            Either::Postgres(_) => Self::with(db.clone(), 2, 6, 2),
        }
    }

    /// The connections that whoever has a permit uses.
    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    /// Uses no connection any more that is open by now.
    pub(super) fn renew_connections(&self) {
        either!(&self.db, |pool, DB| pool.expire_all());
    }

    /// Closes the connections once they are idle.
    pub(super) async fn close(&self) {
        either!(&self.db, |pool, DB| pool.close().await);
    }

    fn with(db: Db, writes: usize, reads: usize, snapshots: usize) -> Self {
        let quota = |permits, per_organization| {
            FairQueue::new(Quota { permits, per_organization, waiting: 256, waiting_per_key: 64 })
        };
        let few = Quota { permits: snapshots, per_organization: 1, waiting: 4, waiting_per_key: 4 };
        Self { db, writes: quota(writes, 1), reads: quota(reads, reads / 2), snapshots: FairQueue::new(few) }
    }
}

impl Store {
    /// Begins to read on behalf of `principal`. It holds a connection's place: not to be kept while a client is waited
    /// for.
    ///
    /// # Errors
    /// [`StoreError::QueueFull`]; or when no permit comes in time.
    pub async fn reading(&self, principal: &Principal) -> Result<Reading, StoreError> {
        let permit = in_time(&self.admission.reads, principal).await?;
        Ok(Reading { db: self.admission.db.clone(), _permit: permit })
    }

    /// Begins to read a great deal as it is at one moment, on behalf of `principal`.
    ///
    /// # Errors
    /// [`StoreError::QueueFull`]; or when no permit comes in time, or the store cannot be asked.
    pub async fn snapshot(&self, principal: &Principal, at: Timestamp) -> Result<Snapshot, StoreError> {
        let permit = in_time(&self.admission.snapshots, principal).await?;
        Ok(Snapshot { tx: begin_snapshot(&self.admission.db).await?, at, _permit: permit })
    }

    /// A turn to write on behalf of `principal`.
    pub(super) async fn writing(&self, principal: &Principal) -> Result<Permit, StoreError> {
        in_time(&self.admission.writes, principal).await
    }
}

async fn in_time(queue: &FairQueue, principal: &Principal) -> Result<Permit, StoreError> {
    let Ok(permit) = tokio::time::timeout(PERMIT_WITHIN, queue.acquire(principal)).await else {
        let late = io::Error::new(io::ErrorKind::TimedOut, "no permit in time");
        return Err(StoreError::Unavailable(sqlx::Error::Io(late)));
    };
    Ok(permit?)
}
