//! The connections to a database: a bounded number, each handed to one statement or one transaction at a time.
//!
//! A pool that takes a connection back whatever happened on it hands its faults to the next caller: a transaction that
//! never ended, a session that is read-only for good, a server that does not answer. This pool takes a connection
//! back only after it has ended its work well. [`PooledConnection`] decides that in one place, for all who borrow.

mod connection;
mod engine;
mod executor;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use self::connection::PooledConnection;
pub(crate) use self::engine::{Engine, PostgresServer, SqliteFile};
use super::error::timed_out_because;
use super::fault::Fault;
use super::write_health::WriteHealth;
use crate::base::clock::monotonic_now;
use crate::base::lock::Mutex;

/// Longest wait for a free connection.
const WAIT: Duration = Duration::from_secs(5);

/// Longest wait for a new connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Longest wait for a sign of life of a connection, before or after it is handed out.
const PING_WITHIN: Duration = Duration::from_secs(1);

/// A connection older than this is replaced: after a change of what the name of the server stands for, none goes on
/// for ever.
const MAX_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A connection that nobody needed for so long is closed.
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);

/// The connections to one database. Clones are the same pool.
pub(crate) struct Pool<DB: Engine>(Arc<Inner<DB>>);

struct Inner<DB: Engine> {
    source: DB::Source,
    size: u32,
    permits: Arc<Semaphore>,
    /// Those that nobody has, the one that was used last at the end.
    idle: Mutex<VecDeque<IdleConnection<DB>>>,
    /// Connections that were opened before this moment are not handed out any more.
    expired_before: Mutex<Option<Instant>>,
    /// Why the last attempt to connect failed, until one succeeds.
    last_error: Mutex<Option<String>>,
    /// A connection that is never handed out: see [`Pool::anchor`].
    anchor: tokio::sync::Mutex<Option<DB::Connection>>,
    is_closed: AtomicBool,
    writes: WriteHealth,
}

/// A connection, and when it was opened.
struct RawConnection<DB: Engine> {
    raw: DB::Connection,
    opened: Instant,
}

struct IdleConnection<DB: Engine> {
    live: RawConnection<DB>,
    since: Instant,
}

impl<DB: Engine> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Engine> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.0.size).finish_non_exhaustive()
    }
}

impl<DB: Engine> Pool<DB> {
    /// A pool of at most `size` connections, none of which is open yet.
    pub(crate) fn new(source: DB::Source, size: u32) -> Self {
        Self(Arc::new(Inner {
            source,
            size,
            permits: Arc::new(Semaphore::new(size as usize)),
            idle: Mutex::default(),
            expired_before: Mutex::default(),
            last_error: Mutex::default(),
            anchor: tokio::sync::Mutex::default(),
            is_closed: AtomicBool::new(false),
            writes: WriteHealth::default(),
        }))
    }

    /// What its connections lead to.
    pub(crate) fn source(&self) -> &DB::Source {
        &self.0.source
    }

    /// How many connections it may have.
    #[cfg(test)]
    pub(crate) fn size(&self) -> u32 {
        self.0.size
    }

    /// Whether what is written reaches the disk.
    pub(crate) fn writes(&self) -> &WriteHealth {
        &self.0.writes
    }

    /// Hands out a connection that works, or says why there is none.
    pub(crate) async fn acquire(&self) -> sqlx::Result<PooledConnection<DB>> {
        if self.0.is_closed.load(Ordering::Acquire) {
            return Err(sqlx::Error::PoolClosed);
        }
        let permit = timeout(WAIT, Arc::clone(&self.0.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| self.acquire_error())?.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(IdleConnection { mut live, .. }) = self.take_idle() {
            if self.is_alive(&mut live).await {
                return Ok(PooledConnection::new(self.clone(), live, permit));
            }
        }
        Ok(PooledConnection::new(self.clone(), self.open().await?, permit))
    }

    /// Keeps one more connection open that nobody uses, until the pool is closed. SQLite takes its write-ahead log away
    /// when the last connection is closed: with this one, that is never while a server runs.
    pub(crate) async fn anchor(&self) -> sqlx::Result<()> {
        let live = self.open().await?;
        *self.0.anchor.lock().await = Some(live.raw);
        Ok(())
    }

    /// Hands out no connection any more that is open by now: what is behind them has changed.
    pub(crate) fn expire_all(&self) {
        *self.0.expired_before.lock() = Some(monotonic_now());
        self.0.idle.lock().clear();
    }

    /// Hands out nothing more, and closes the connections once they are idle.
    pub(crate) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        let Ok(_all) = self.0.permits.acquire_many(self.0.size).await else { return };
        let idle = std::mem::take(&mut *self.0.idle.lock());
        for IdleConnection { live, .. } in idle {
            let _ = live.raw.close().await;
        }
        if let Some(anchor) = self.0.anchor.lock().await.take() {
            let _ = anchor.close().await;
        }
        self.0.permits.close();
        DB::release(&self.0.source);
    }

    /// Opens a connection.
    async fn open(&self) -> sqlx::Result<RawConnection<DB>> {
        let opened = monotonic_now();
        let opening = timeout(CONNECT_WITHIN, DB::connect(&self.0.source)).await;
        let too_late = |_| timed_out_because(format!("no connection within {} s", CONNECT_WITHIN.as_secs()));
        let connected = opening.map_err(too_late).and_then(|connected| connected);
        *self.0.last_error.lock() = connected.as_ref().err().map(ToString::to_string);
        Ok(RawConnection { raw: connected?, opened })
    }

    /// The idle connection that was used last, and still may be.
    fn take_idle(&self) -> Option<IdleConnection<DB>> {
        let mut idle = self.0.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.since.elapsed() > MAX_IDLE) {
            idle.pop_front();
        }
        std::iter::from_fn(|| idle.pop_back()).find(|idle| self.is_usable(&idle.live))
    }

    /// Takes a connection back that has done its work well.
    fn return_idle(&self, live: RawConnection<DB>) {
        if self.is_usable(&live) {
            self.0.idle.lock().push_back(IdleConnection { live, since: monotonic_now() });
        }
    }

    fn is_usable(&self, live: &RawConnection<DB>) -> bool {
        let is_expired = self.0.expired_before.lock().is_some_and(|moment| live.opened <= moment);
        !is_expired && live.opened.elapsed() <= MAX_LIFETIME
    }

    /// Whether somebody answers on a connection, and in time.
    async fn is_alive(&self, live: &mut RawConnection<DB>) -> bool {
        match timeout(PING_WITHIN, live.raw.ping()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                self.note_error(&error);
                false
            }
            Err(_) => {
                self.expire_all();
                false
            }
        }
    }

    /// Draws the conclusions from an error that came over a connection; returns whether it may be used again.
    fn note_error(&self, error: &sqlx::Error) -> bool {
        match Fault::of(error) {
            Fault::Statement => true,
            Fault::Connection => false,
            Fault::Server => {
                self.expire_all();
                false
            }
        }
    }

    /// Why there was no connection in time: the database lets nobody in, or all connections are in use.
    fn acquire_error(&self) -> sqlx::Error {
        match &*self.0.last_error.lock() {
            Some(last_error) => timed_out_because(last_error.clone()),
            None => sqlx::Error::PoolTimedOut,
        }
    }
}
