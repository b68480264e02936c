//! What may use the connections at once, so that the look-ups of keys always find one.
//!
//! Writers take turns anyway, by the row that change numbers come from; here they do so before they hold a connection.
//! Reads for the management API have a part of the connections. Both are divided fairly among organizations, see
//! [`crate::sharing::fair_queue`].

use std::io;
use std::time::Duration;

use super::StoreError;
use super::db::{Either, Tx, begin_snapshot};
use super::{Db, Store};
use crate::base::clock::Timestamp;
use crate::domain::principal::Principal;
use crate::sharing::fair_queue::{FairQueue, Shares, Turn};

/// The longest wait for a turn.
const TURN_WITHIN: Duration = Duration::from_secs(5);

/// The queues in front of the connections.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    writes: FairQueue,
    reads: FairQueue,
    snapshots: FairQueue,
}

/// Reads on somebody's behalf, until it is dropped.
#[derive(Debug)]
pub struct Reading {
    pub(super) db: Db,
    _turn: Turn,
}

/// Reads on somebody's behalf that all see one moment, until it is dropped. Writers do not wait for it.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) tx: Tx,
    pub(super) at: Timestamp,
    _turn: Turn,
}

impl Lanes {
    /// The queues for this database, of whose connections they leave some to the look-ups of keys.
    pub(super) fn of(db: &Db) -> Self {
        match db {
            // Of 8.
            Either::Sqlite(_) => Self::with(1, 3, 1),
            // Of 16. While one writer commits, the next is under way to the row that change numbers come from.
            Either::Postgres(_) => Self::with(2, 6, 2),
        }
    }

    fn with(writes: usize, reads: usize, snapshots: usize) -> Self {
        let shares = |turns, of_organization| {
            FairQueue::new(Shares { turns, of_organization, waiting: 256, waiting_of_key: 64 })
        };
        let few = Shares { turns: snapshots, of_organization: 1, waiting: 4, waiting_of_key: 4 };
        Self { writes: shares(writes, 1), reads: shares(reads, reads / 2), snapshots: FairQueue::new(few) }
    }
}

impl Store {
    /// Begins to read on behalf of `principal`. It holds a connection's place: not to be kept while a client is waited
    /// for.
    ///
    /// # Errors
    /// [`StoreError::Crowded`]; or when no turn comes in time.
    pub async fn reading(&self, principal: &Principal) -> Result<Reading, StoreError> {
        let turn = in_time(&self.lanes.reads, principal).await?;
        Ok(Reading { db: self.db.clone(), _turn: turn })
    }

    /// Begins to read a great deal as it is at one moment, on behalf of `principal`.
    ///
    /// # Errors
    /// [`StoreError::Crowded`]; or when no turn comes in time, or the store cannot be asked.
    pub async fn snapshot(&self, principal: &Principal, at: Timestamp) -> Result<Snapshot, StoreError> {
        let turn = in_time(&self.lanes.snapshots, principal).await?;
        Ok(Snapshot { tx: begin_snapshot(&self.db).await?, at, _turn: turn })
    }

    /// A turn to write on behalf of `principal`.
    pub(super) async fn writing(&self, principal: &Principal) -> Result<Turn, StoreError> {
        in_time(&self.lanes.writes, principal).await
    }
}

async fn in_time(queue: &FairQueue, principal: &Principal) -> Result<Turn, StoreError> {
    let Ok(turn) = tokio::time::timeout(TURN_WITHIN, queue.turn(principal)).await else {
        let late = io::Error::new(io::ErrorKind::TimedOut, "no turn in time");
        return Err(StoreError::Unavailable(sqlx::Error::Io(late)));
    };
    Ok(turn?)
}
