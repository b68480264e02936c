//! Limits how many connections writers and slow reads use at once, so that lookups of keys always find one.
//!
//! Writers take turns anyway, by the row that change numbers come from. Here they wait before they hold a connection.
//! Reads for the management API get a part of the connections. Both are shared fairly among organizations; see
//! [`crate::sharing::fair_queue`].
//!
//! SQLite runs in this process. There, these operations use connections of their own, with a lower priority than
//! those of the lookups.

use std::io;
use std::time::Duration;

use super::StoreError;
use super::db::{Either, Tx, begin_snapshot, either};
use super::{Db, PoolLoad, Store};
use crate::base::clock::Timestamp;
use crate::domain::principal::Principal;
use crate::sharing::fair_queue::{FairQueue, Permit, QueueLoad, Quota};

/// One connection for each permit.
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

/// A permit to read on behalf of a principal. Dropping it returns the permit.
#[derive(Debug)]
pub struct Reading {
    pub(super) db: Db,
    _permit: Permit,
}

/// A permit to read on behalf of a principal, in a transaction that sees a single moment. Writers don't wait for it.
/// Dropping it returns the permit.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) tx: Tx,
    pub(super) at: Timestamp,
    _permit: Permit,
}

impl Admission {
    /// The queues for this database. They leave some connections to lookups of keys.
    pub(super) fn of(db: &Db) -> Self {
        match db {
            Either::Sqlite(pool) => {
                Self::with(Either::Sqlite(pool.in_background(SQLITE_CONNECTIONS)), 1, 3, 1)
            }
            // Of 16 connections. While one writer commits, the next one already reaches the row that change numbers
            // come from.
            Either::Postgres(_) => Self::with(db.clone(), 2, 6, 2),
        }
    }

    /// The connections for holders of a permit.
    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    /// How busy these connections are, if they are not those of all other work.
    pub(super) fn own_pool(&self) -> Option<PoolLoad> {
        match &self.db {
            Either::Sqlite(pool) => Some(pool.load()),
            Either::Postgres(_) => None,
        }
    }

    /// Each queue by its name, and how busy it is.
    pub(super) fn queues(&self) -> [(&'static str, QueueLoad); 3] {
        let Self { writes, reads, snapshots, .. } = self;
        [("store_writes", writes), ("store_reads", reads), ("store_snapshots", snapshots)]
            .map(|(name, queue)| (name, queue.load()))
    }

    /// Stops using the connections that are open now.
    pub(super) fn renew_connections(&self) {
        either!(&self.db, |pool, DB| pool.expire_all());
    }

    /// Closes the connections once they are idle.
    pub(super) async fn close(&self) {
        either!(&self.db, |pool, DB| pool.close().await);
    }

    fn with(db: Db, writes: usize, reads: usize, snapshots: usize) -> Self {
        let quota = |permits, per_organization| {
            FairQueue::new(Quota { permits, per_organization, waiting: 256, waiting_per_caller: 64 })
        };
        let few = Quota { permits: snapshots, per_organization: 1, waiting: 4, waiting_per_caller: 4 };
        Self { db, writes: quota(writes, 1), reads: quota(reads, reads / 2), snapshots: FairQueue::new(few) }
    }
}

impl Store {
    /// Waits for a permit to read on behalf of `principal`. It occupies a connection, so the caller must not keep it
    /// while it waits for the client.
    ///
    /// # Errors
    /// [`StoreError::QueueFull`]; or when no permit becomes free in time.
    pub async fn reading(&self, principal: &Principal) -> Result<Reading, StoreError> {
        let permit = in_time(&self.admission.reads, principal).await?;
        Ok(Reading { db: self.admission.db.clone(), _permit: permit })
    }

    /// Opens a snapshot on behalf of `principal`, for reads of much data as of a single moment.
    ///
    /// # Errors
    /// [`StoreError::QueueFull`]; or when no permit becomes free in time, or the store fails.
    pub async fn snapshot(&self, principal: &Principal, at: Timestamp) -> Result<Snapshot, StoreError> {
        let permit = in_time(&self.admission.snapshots, principal).await?;
        Ok(Snapshot { tx: begin_snapshot(&self.admission.db).await?, at, _permit: permit })
    }

    /// Waits for a permit to write on behalf of `principal`.
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
